"""What the pipeline remembers: SQLite in a file of its own, or PostgreSQL; the same words on both."""
