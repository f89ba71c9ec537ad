"""Hands on Git: poll, mirror, read, commit, push. `objects` are its nouns."""
