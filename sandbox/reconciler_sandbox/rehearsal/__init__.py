"""F8 — demo and stories: the only bridge between the daemon and the sandbox."""
