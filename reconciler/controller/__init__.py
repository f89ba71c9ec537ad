"""F6 — when things happen: queue, workers, observe, decide, apply."""
