"""Mistakes of scripts that balance uplinks: what is wrong, why, and the line that mends it."""
