"""What a designer asks of many runs: what changes, how surely, and which numbers to take."""
