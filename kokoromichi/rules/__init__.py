"""What the game decides: pure functions of integers, and the economy that holds their numbers."""
