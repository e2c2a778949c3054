"""What a person sees of a running home in a terminal."""
