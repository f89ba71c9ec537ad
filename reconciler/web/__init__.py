"""F4 — hands on HTTP: the client others share, and our own endpoints."""
