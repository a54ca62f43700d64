"""The revisions of the tables of ledger."""
