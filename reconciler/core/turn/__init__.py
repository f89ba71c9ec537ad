"""One pass over one rollout: the facts it starts from, and what it has decided so far. Pure."""
