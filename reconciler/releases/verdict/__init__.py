"""How an attempt ends: what was measured, who or what ended it, and what it waits for (ADR 0011)."""
