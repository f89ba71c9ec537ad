"""Hands on the Kubernetes API: transport, client, discovery, watch, cache."""
