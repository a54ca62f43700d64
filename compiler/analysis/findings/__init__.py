"""What is wrong with a configuration: the findings of ``check`` and how they are written."""
