"""Hands on HTTP: the client others share, and our own endpoints."""
