"""Review of a change: pairs of configuration texts in, what becomes permitted or denied out, for people and for CI."""
