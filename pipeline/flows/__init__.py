"""Durable jobs: what DBOS runs, and how it is asked, stopped and looked at."""
