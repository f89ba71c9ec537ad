"""How releases are judged and undone: ReleasePolicies, and which one speaks for a workload."""
