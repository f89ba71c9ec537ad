"""The way back in Git: the edit, the push or the proposal, one branch at a time (ADR 0012)."""
