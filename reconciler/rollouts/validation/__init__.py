"""The rules that a rollout must obey to be carried out as written (contract 12). Pure."""
