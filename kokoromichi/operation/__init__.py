"""What an operator needs around the game, below whatever talks to people."""
