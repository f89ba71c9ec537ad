"""One Rollout: its spec, its facts, and a pass as a tuple of small pure steps (contract 1 to 5)."""
