"""Laboratories: one description of a network, realised in simulation or in the kernel."""
