"""The verbs of labs."""
