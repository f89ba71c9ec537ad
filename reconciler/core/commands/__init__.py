"""What a person's verb writes and what a person reads: the client side of the contract (11.1, 11.2)."""
