"""Whether a rollout can be carried out as written (contract 12). Pure."""
