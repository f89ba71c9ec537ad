"""One AnalysisRun: how it is made, when it measures, what a measurement means, how it ends (contract 6)."""
