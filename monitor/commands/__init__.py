"""One command of `vigia` per file; monitor.cli imports the one that is used."""
