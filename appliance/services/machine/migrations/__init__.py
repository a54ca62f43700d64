"""The revisions of the tables of machine."""
