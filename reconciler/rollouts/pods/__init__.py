"""The pods of a rollout: ReplicaSets created, scaled, labelled, restarted and forgotten. Pure."""
