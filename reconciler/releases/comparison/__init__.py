"""A canary beside its baseline while a release is on its way: counts, budget, the baseline pair (ADR 0032)."""
