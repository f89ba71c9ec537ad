"""F7 — settings, wiring, daemon, CLI: knows everybody, decides nothing."""
