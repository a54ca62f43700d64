"""Traffic generators: when packets are sent, and how large they are."""
