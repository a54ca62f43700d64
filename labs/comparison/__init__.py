"""The variants of a lab beside each other: each is run, measured, and shown in one table."""
