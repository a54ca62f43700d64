"""The revisions of the tables of certificates."""
