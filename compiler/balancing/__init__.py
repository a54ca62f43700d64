"""Balancing several uplinks: intent -> plan -> RouterOS and Linux, proved by reading the text back."""
