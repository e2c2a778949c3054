"""The file logs/errors.json: append-only, always a valid array, chained, read back and verified."""
