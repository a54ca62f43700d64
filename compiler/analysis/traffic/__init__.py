"""Which traffic: what changes between two devices, what passes one of them."""
