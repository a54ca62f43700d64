"""Networks under test: described in Python or by a lab, followed in sets of packets."""
