"""The parts beside the editor: findings, compile, compare, trace, lab."""
