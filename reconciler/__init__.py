"""Releases driven by Git: a push becomes a measured release, or comes home as a restore commit."""
