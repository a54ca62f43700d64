"""The revisions of the tables of shop."""
