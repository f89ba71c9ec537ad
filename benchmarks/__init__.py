"""The budgets of ADR 0030 that exist so far, measured in one run: `python -m benchmarks`. Reported, never asserted."""
