"""Reading files as they grow: every line once, across rotation, truncation and restarts."""
