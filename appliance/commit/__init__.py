"""The commit: all components of all services change together, or none of them does.

Verify all, render generation N, preflight all, switch ``current``, act in
dependency order, probe, then stand confirmed, or wait to be confirmed; any
failure is undone in reverse. What is underway is in a journal, so that
``recover`` finishes the thought after a kill at any moment.
"""
