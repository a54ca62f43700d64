"""The words of assertions, by what they look at."""
