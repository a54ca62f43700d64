"""The one root process: a few typed actions behind a UNIX socket, on things that installed code names."""
