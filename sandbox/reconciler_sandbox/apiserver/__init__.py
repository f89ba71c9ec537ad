"""A Kubernetes API server in one asyncio process: what unmodified clients need, measured against real ones."""
