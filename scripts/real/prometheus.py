"""Prometheus 3, built from the Go module proxy: without its pages, which are not there, and without discovery of cloud services."""

from scripts.real.golang import Modules

PROGRAM = "prometheus"

PROMETHEUS = Modules(
    "prometheus",
    {PROGRAM: "github.com/prometheus/prometheus/cmd/prometheus"},
    {"github.com/prometheus/common/version.Version": "3.12.0"},
    tags=("netgo", "remove_all_sd"),
).piece
