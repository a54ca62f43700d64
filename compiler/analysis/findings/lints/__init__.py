"""What can be wrong with a configuration that reads well: one file a subject."""
