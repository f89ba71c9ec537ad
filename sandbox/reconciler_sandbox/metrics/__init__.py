"""A small Prometheus: scrapes, keeps samples for a while, answers PromQL over Prometheus's HTTP API."""
