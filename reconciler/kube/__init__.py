"""F4 — hands on the Kubernetes API: transport, client, watch, cache, lease."""
