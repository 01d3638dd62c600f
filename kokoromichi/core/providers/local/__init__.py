"""What the local provider is made of: the database, its writer and readers, and the readable copy."""
