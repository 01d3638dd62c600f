"""From any store into another: whole copies, an existing installation, and the mirror beside a database."""
