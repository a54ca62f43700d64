"""From the text of a lab file to its description: one file for each part of the schema."""
