"""Settings, wiring, daemon, command line: knows every part, decides nothing."""
