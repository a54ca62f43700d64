"""Balancing, rehearsed: a script or an intent runs in the simulator, under load and through failures."""
