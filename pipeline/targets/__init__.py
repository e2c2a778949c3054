"""Where posts go: one port, a form for each kind of place."""
