"""What is stored, and how safely."""
