"""The revisions of the tables of dns."""
