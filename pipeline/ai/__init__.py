"""Who writes captions: one port, providers behind it, a local one that needs nobody."""
