"""What the local provider is made of: files, journal, state, ledgers, opening."""
