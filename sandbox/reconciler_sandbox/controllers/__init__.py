"""The built-in controllers a workload needs: level-triggered, speaking only the Kubernetes API."""
