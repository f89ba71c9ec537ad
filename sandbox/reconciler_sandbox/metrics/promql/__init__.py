"""PromQL over the store: the text is parsed by promql-parser; evaluation follows Prometheus 3 value by value."""
