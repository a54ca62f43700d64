"""Do two devices let the same packets pass? Alignment, differences, proofs."""
