"""The console: pages that show releases, made on the server from Kubernetes objects alone; nothing here writes (docs/console.md)."""
