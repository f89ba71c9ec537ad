"""The budgets of DESIGN §6 that exist so far, measured in one run: `python -m benchmarks`. Reported, never asserted."""
