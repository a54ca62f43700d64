"""Talking to the daemon from programs: over its UNIX socket or TLS port, with the daemon's refusals as exceptions."""
