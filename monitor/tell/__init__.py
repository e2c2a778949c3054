"""Telling people: what is worth saying, when, in which words, and that it arrives."""
