"""The machine of the laboratory: synthetic players, played through the real services."""
