"""Keeping children running: started, watched, stopped whole, started again within a budget."""
