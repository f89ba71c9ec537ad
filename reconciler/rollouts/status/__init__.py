"""What a rollout says about itself: phase, conditions, events, durations (contract 3). Pure."""
