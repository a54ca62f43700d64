"""The revisions of the tables of system."""
