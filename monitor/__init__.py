"""Keeps a program alive: finds the cause of its trouble, repairs it, proves it, tells its people."""

__version__ = "0.1.0"
