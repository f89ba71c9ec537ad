"""What every noun shares: identity, plan, errors, resources, time. Imports nothing of ours. Pure but for the clock."""
