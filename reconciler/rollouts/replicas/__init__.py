"""The arithmetic and the templates of ReplicaSets: how many pods of which version (contract 2 and 10). Pure."""
