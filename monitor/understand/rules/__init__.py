"""The rules that ship: one file for each program that speaks."""
