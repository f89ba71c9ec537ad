"""How runs are made, when they measure, what a measurement means, and how a run ends (contract 6)."""
