"""The rollout state machine: a pass is a tuple of small pure beats (contract 4 and 5). Pure."""
