"""Applications: servers and clients that run on any host, simulated or real."""
