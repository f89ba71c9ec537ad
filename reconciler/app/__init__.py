"""Settings, wiring, daemon, command line: knows everybody, decides nothing."""
