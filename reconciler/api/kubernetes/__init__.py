"""The words of the built-in Kubernetes kinds we read and write."""
