"""A Git host for rehearsals: smart HTTP through git's own backend, protected branches, webhooks and a GitHub-compatible REST API."""
