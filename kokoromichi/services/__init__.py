"""What callers do: read, let a rule decide, commit once. The bot, the simulation and the notebooks call these."""
