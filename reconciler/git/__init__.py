"""F4 — hands on Git: poll, mirror, read, commit, push."""
