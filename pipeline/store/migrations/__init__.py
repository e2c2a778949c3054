"""How the tables came to be; only ever appended to."""
