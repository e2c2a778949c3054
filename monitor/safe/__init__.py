"""Touching files that a log line names: only inside the roots, without a link, undoable."""
