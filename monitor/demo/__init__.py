"""What a demonstration needs of the outside world; nothing of the monitor knows of it."""
