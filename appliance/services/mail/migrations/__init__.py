"""The revisions of the tables of mail."""
