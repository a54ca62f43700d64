"""Sets of packets as binary decision diagrams (Bryant 1986), by oxidd."""
