"""A terminal in Discord's place: the same bot, the same cogs, no token and no network."""
