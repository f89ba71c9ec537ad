"""F2 — decisions: pure functions from facts to plans, in rooms by noun."""
