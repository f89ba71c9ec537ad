"""Demo and stories: the only bridge between the daemon and the sandbox."""
