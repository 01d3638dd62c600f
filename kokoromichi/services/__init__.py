"""What callers do: read, let a rule decide, commit once. Bot, simulation and notebooks call these."""
