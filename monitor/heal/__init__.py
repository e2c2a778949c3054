"""What is done about trouble: incidents, ladders, attempts, proofs, and what is remembered of them."""
