"""The firmware, its simulator and its modem."""
