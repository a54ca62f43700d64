"""The command ``gerbang``: one thin file a verb.

Nothing here imports an engine before a verb runs: ``gerbang --help`` answers
within 100 ms. Exit codes: 0 fine; 1 a finding, a failed proof, a difference,
or a target that refuses; 2 wrong use or wrong input; 130 interrupted.
"""
