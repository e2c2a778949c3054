"""What lines mean: rules, one matcher over whole chunks, events of several lines."""
