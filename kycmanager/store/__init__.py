"""Where records live: in memory for reads, on the strand for writes, in a base for good."""
