"""From access lists to chains: which chain, which hook, which order.

Between the tree of a source and the tree of a chain firewall, for all such
targets; each target then splits or refuses what its own rules cannot hold.
"""
