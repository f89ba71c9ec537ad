"""Questions in PromQL: those of our files, hand-picked ones, and generated ones that are the same in every run."""

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from reconciler.analysis.provider import CounterTask
from reconciler.providers.prometheus_counters import gained_query

ROOT = Path(__file__).resolve().parent.parent.parent.parent
ARGUMENTS = {"namespace": "shop", "version": "v2", "service": "web", "reporter": "source"}

PICKED = (
    "istio_requests_total",
    'istio_requests_total{reporter="source"}',
    'istio_requests_total{response_code=~"5..|4.."}',
    'istio_requests_total{response_code!~"2.."}',
    'istio_requests_total{response_code!="200",reporter!="destination"}',
    '{__name__=~"istio_.*_total",reporter="source"}',
    "rate(istio_requests_total[1m])",
    "irate(istio_requests_total[1m])",
    "increase(istio_requests_total[2m])",
    "sum(rate(istio_requests_total[1m])) by (response_code)",
    "sum without (response_code) (rate(istio_requests_total[1m]))",
    "count(istio_requests_total) by (reporter, destination_canonical_revision)",
    'sum(rate(istio_requests_total{response_code!~"5.."}[1m])) / sum(rate(istio_requests_total[1m]))',
    'sum(rate(istio_requests_total{response_code="nope"}[1m])) or vector(0)',
    'sum(rate(istio_requests_total{response_code="nope"}[1m])) / sum(rate(istio_requests_total[1m]))',
    "histogram_quantile(0.95, sum(rate(request_milliseconds_bucket[1m])) by (le))",
    "histogram_quantile(0.5, sum by (le, version) (rate(request_milliseconds_bucket[2m])))",
    "histogram_quantile(1.5, request_milliseconds_bucket)",
    "histogram_quantile(-1, request_milliseconds_bucket)",
    "rate(request_milliseconds_sum[1m]) / rate(request_milliseconds_count[1m])",
    "temperature",
    "delta(temperature[1m])",
    "idelta(temperature[1m])",
    "avg_over_time(temperature[90s])",
    "last_over_time(temperature[90s])",
    "present_over_time(temperature[90s])",
    'absent_over_time(temperature{zone="nowhere"}[90s])',
    "temperature > 20",
    "temperature > bool 20",
    "20 < temperature",
    "temperature * 2 + 1",
    "-temperature",
    "2 ^ 3 ^ 2",
    "7 % 3",
    "-7 % 3",
    "1 / 0",
    "0 / 0",
    "1 == bool 1",
    "temperature % 7",
    'temperature and on (zone) humidity{zone="a"}',
    'temperature unless on (zone) humidity{zone="a"}',
    'temperature{zone="a"} or humidity',
    "temperature / on (zone, sensor) group_left (unit) humidity_by_sensor",
    "humidity * on (zone) group_right temperature",
    "temperature + on (zone) group_left humidity",
    "temperature + on (zone) humidity",
    "temperature + ignoring (sensor) group_left humidity",
    "absent(temperature)",
    'absent(nothing{a="b",c=~"d"})',
    "absent_over_time(nothing[1m])",
    "absent_over_time(temperature[1m])",
    "scalar(humidity{zone='a'})",
    "scalar(temperature)",
    "vector(1)",
    "clamp(temperature, 15, 20)",
    "clamp_min(temperature, 20)",
    "clamp_max(temperature, 20)",
    "clamp(temperature, 20, 10)",
    "round(temperature, 5)",
    "round(temperature)",
    "temperature offset 1m",
    "rate(istio_requests_total[1m] offset 30s)",
    "temperature offset -30s",
    "gone",
    "gone offset 3m",
    "sum_over_time(gone[10m])",
    "gappy",
    "rate(gappy[2m])",
    "count_over_time(gappy[5m])",
    "changes(temperature[5m])",
    "resets(restarted_total[10m])",
    "increase(restarted_total[5m])",
    "rate(restarted_total[45s])",
    "time()",
    "count(up)",
    "sum(temperature) by (nothing)",
    "temperature == temperature",
    "temperature != 20",
    "last_over_time(temperature[1m])",
    "present_over_time(gone[20m])",
    "sum(",
    "rate(temperature)",
    "temperature[1m]",
    "sum(temperature[1m])",
    '{zone=~".*"}',
)
COUNTED = (
    ('istio_requests_total{reporter="source",response_code=~"5.."}', 'istio_requests_total{reporter="source"}'),
    ('restarted_total{job=~".*"}', 'restarted_total{job=~".*"}'),
    ('gone{job=~".*"}', 'gone{job=~".*"}'),
    ('temperature{zone=~".*"}', 'nowhere{zone="x"}'),
)
"""Selectors of counters, and of what has to be known at the start of the window."""


def counted() -> list[str]:
    """What a release asks of counters, for a short window and a long one."""
    end = datetime(2026, 11, 25, tzinfo=UTC)
    windows = (timedelta(seconds=30), timedelta(minutes=4))
    tasks = (CounterTask(address="", selector=one, known_by=known, start=end - long, end=end) for one, known in COUNTED for long in windows)
    return [gained_query(task) for task in tasks]


def of_our_files() -> list[str]:
    """Every PromQL query in policies/ and sample-repo/, its arguments filled in."""
    found = [
        query for folder in ("policies", "sample-repo") for file in sorted((ROOT / folder).rglob("*.y*ml")) for query in _queries(file)
    ]
    return sorted({re.sub(r"\{\{\s*args\.([\w-]+)\s*\}\}", lambda match: ARGUMENTS.get(match[1], "x"), query) for query in found})


def _queries(file: Path) -> Iterator[str]:
    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except yaml.YAMLError:
        return
    pending = list(documents)
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            asked = node.get("prometheus")
            if isinstance(asked, dict) and isinstance(asked.get("query"), str):
                yield asked["query"]
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


def generated(count: int, seed: int = 20) -> list[str]:
    """Different well-formed queries over the known series."""
    chance, found = random.Random(seed), dict[str, None]()
    while len(found) < count:
        found[_vector(chance, 3)] = None
    return list(found)


SELECTORS = (
    "istio_requests_total",
    'istio_requests_total{reporter="source"}',
    'istio_requests_total{response_code=~"5.."}',
    "request_milliseconds_bucket",
    "temperature",
    'temperature{zone="a"}',
    "humidity",
    "gappy",
    "gone",
    "restarted_total",
    "nothing",
)
OVER_RANGES = ("rate", "irate", "increase", "delta", "avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time")
LABELS = ("zone", "sensor", "response_code", "reporter", "le", "version")


def _vector(chance: random.Random, depth: int) -> str:
    shapes = (_over_range, _instant) if depth == 0 else (_over_range, _instant, _aggregated, _aggregated, _combined, _changed)
    return chance.choice(shapes)(chance, depth - 1)


def _instant(chance: random.Random, depth: int) -> str:
    return chance.choice(SELECTORS) + chance.choice(("", "", "", " offset 45s", " offset 2m"))


def _over_range(chance: random.Random, depth: int) -> str:
    span = chance.choice(("20s", "45s", "1m", "150s", "5m"))
    return f"{chance.choice(OVER_RANGES)}({chance.choice(SELECTORS)}[{span}])"


def _aggregated(chance: random.Random, depth: int) -> str:
    labels = ", ".join(chance.sample(LABELS, chance.randint(0, 2)))
    operator = chance.choice(("sum", "avg", "min", "max", "count"))
    return f"{operator} {chance.choice(('by', 'without'))} ({labels}) ({_vector(chance, depth)})"


def _combined(chance: random.Random, depth: int) -> str:
    operator = chance.choice(("+", "-", "*", "/", "%", ">", "<", ">= bool", "== bool", "and", "or", "unless"))
    left, right = _vector(chance, depth), _vector(chance, depth)
    if operator not in ("and", "or", "unless") and chance.random() < 0.5:
        right = chance.choice(("0", "1", "2.5", "-3"))
    return f"({left}) {operator} ({right})"


def _changed(chance: random.Random, depth: int) -> str:
    inner = _vector(chance, depth)
    return chance.choice((f"abs({inner})", f"clamp_max({inner}, 10)", f"ceil({inner})", f"-({inner})", f"absent({inner})"))
