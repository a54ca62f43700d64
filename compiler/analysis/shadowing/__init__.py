"""Which steps of a list ever decide: exact, also for unions, on ten thousand rules."""
