"""The revisions of the tables of webmail."""
