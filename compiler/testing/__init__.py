"""Properties of policies and networks, for tests: words that hold over all packets, or fail with a minimal packet."""
