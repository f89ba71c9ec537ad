"""Stories of the shipped templates, minute by minute: a Prometheus holds what happened, runs ask it, a release is judged.

Each template is played as it is shipped, with a good version, a bad one, one bad minute, and nobody who calls.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from reconciler_sandbox.metrics.server import Server
from reconciler_sandbox.metrics.store import Store

from reconciler.analysis.trial import TrialArguments, trial_run
from reconciler.kernel.identity import Manifest
from tests.kit.analysis import NOW, Stage, stage
from tests.kit.clusters import NAMESPACE
from tests.kit.metrics import metrics_client, prometheus_at
from tests.kit.promql import labels_of
from tests.releases.test_truth import LABELS, row

POLICIES = Path(__file__).resolve().parents[2] / "policies"
BEFORE, AFTER, EVERY = 600, 4200, 15
"""Seconds of samples before the run begins and after, and between two scrapes."""
PASSES = 400
BAD_MINUTES = range(150, 210)
"""Seconds in which the tale of one bad minute is bad."""


@dataclass(frozen=True)
class Tale:
    """What happens: requests a second, and the share of them, or of a limit, that is bad at a second of the run."""

    rate: Callable[[float], float]
    bad: Callable[[float], float]


def steady(value: float) -> Callable[[float], float]:
    return lambda second: value


TALES: Mapping[str, Tale] = {
    "good": Tale(steady(10), steady(0.0)),
    "bad": Tale(steady(10), steady(1.0)),
    "one bad minute": Tale(steady(10), lambda second: 1.0 if second in BAD_MINUTES else 0.0),
    "nobody calls": Tale(steady(0), steady(0.0)),
    "called after half an hour": Tale(lambda second: 10 if second > 1800 else 0, steady(0.0)),
    "gone bad after half an hour": Tale(lambda second: 10 if second > 1800 else 0, steady(1.0)),
}
Series = Mapping[str, Callable[[float, float], float]]
"""A series, and what it gains in a second by (rate, bad share)."""


def istio(reporter: str, *codes: tuple[str, Callable[[float], float]], more: str = "", name: str = "istio_requests_total") -> Series:
    version = f'reporter="{reporter}",destination_workload_namespace="{NAMESPACE}",destination_canonical_revision="v2"'
    return {f"{name}{{{version}{more},{code}}}": lambda rate, bad, share=share: rate * share(bad) for code, share in codes}


def well(bad: float) -> float:
    return 1 - bad


def ill(bad: float) -> float:
    return bad


HTTP = (('response_code="200"', well), ('response_code="503"', ill))
GRPC = (('grpc_response_status="0",response_code="200"', well), ('grpc_response_status="13",response_code="200"', ill))
BOUNDS = (("5", well), ("50", well), ("100", well), ("500", well), ("1000", well), ("10000", steady(1)), ("+Inf", steady(1)))
BUCKETS = tuple((f'le="{bound}"', share) for bound, share in BOUNDS)
LOGS: Series = {
    f'log_lines_total{{namespace="{NAMESPACE}",pod="web-v2-a",level="info"}}': lambda rate, bad: rate,
    f'log_lines_total{{namespace="{NAMESPACE}",pod="web-v2-a",level="error"}}': lambda rate, bad: rate * bad,
}
CPU = f'container_cpu_usage_seconds_total{{namespace="{NAMESPACE}",container="web"'
PODS: Series = {
    f'{CPU},pod="web-v2-a"}}': lambda rate, bad: 0.2 + 0.79 * bad,
    f'{CPU},pod="web-v2-b"}}': lambda rate, bad: 0.1,
}
GAUGES = {
    f'kube_pod_container_resource_limits{{namespace="{NAMESPACE}",pod="web-v2-{pod}",resource="{resource}"}}': limit
    for pod in "ab"
    for resource, limit in (("cpu", 1.0), ("memory", 1000.0))
}
MEMORY = {f'container_memory_working_set_bytes{{namespace="{NAMESPACE}",pod="web-v2-{pod}",container="web"}}': 300.0 for pod in "ab"}


@dataclass(frozen=True)
class Shipped:
    """A shipped template: its file and name, what is counted where it is used, and its arguments."""

    file: str
    name: str
    series: Series
    given: Mapping[str, str]
    gauges: Mapping[str, float] = field(default_factory=dict)


VERSION = {"namespace": NAMESPACE, "version": "v2"}
OF_PODS = {"namespace": NAMESPACE, "pods": "web-v2-.*"}
LATENCY = istio("source", *BUCKETS, name="istio_request_duration_milliseconds_bucket")
CALLERS = {**istio("source", *HTTP), **istio("destination", ('response_code="200"', steady(1)))}
"""Requests that no server saw are seen by their callers only."""
TEMPLATES = {
    shipped.name + shipped.given.get("reporter", ""): shipped
    for shipped in (
        Shipped("success-rate.yaml", "success-rate", CALLERS, VERSION),
        Shipped("success-rate.yaml", "success-rate", istio("destination", *HTTP), {**VERSION, "reporter": "destination"}),
        Shipped("grpc-success.yaml", "grpc-success", istio("source", *GRPC, more=',request_protocol="grpc"'), VERSION),
        Shipped("latency.yaml", "latency", LATENCY, VERSION),
        Shipped("log-errors.yaml", "log-errors", LOGS, OF_PODS),
        Shipped("saturation.yaml", "saturation", PODS, OF_PODS, {**GAUGES, **MEMORY}),
        Shipped("no-traffic.yaml", "success-rate-when-called", istio("source", *HTTP), VERSION),
        Shipped("no-traffic.yaml", "success-rate-or-silence", istio("source", *HTTP), VERSION),
        Shipped("no-traffic.yaml", "success-rate-never-silent", istio("source", *HTTP), VERSION),
    )
}
PASSED, FAILED = ("Successful", "passed", "-", "-"), ("Failed", "failed", "push", "held")
SILENT, UNPROVEN, AWAY = "Inconclusive", ("Successful", "not enough evidence", "-", "-"), ("Failed", "not enough evidence", "propose", "-")
ENDS: Mapping[str, Mapping[str, Any]] = {
    "success-rate": {"good": PASSED, "bad": FAILED, "one bad minute": FAILED, "nobody calls": SILENT},
    "success-ratedestination": {"good": PASSED, "bad": FAILED, "nobody calls": SILENT},
    "grpc-success": {"good": PASSED, "bad": FAILED, "nobody calls": SILENT},
    "latency": {"good": PASSED, "bad": FAILED, "nobody calls": SILENT},
    "log-errors": {"good": PASSED, "bad": FAILED, "nobody calls": SILENT},
    "saturation": {"good": PASSED, "bad": FAILED},
    "success-rate-when-called": {
        "good": PASSED,
        "bad": FAILED,
        "nobody calls": SILENT,
        "called after half an hour": PASSED,
        "gone bad after half an hour": FAILED,
    },
    "success-rate-or-silence": {"good": PASSED, "bad": FAILED, "nobody calls": UNPROVEN},
    "success-rate-never-silent": {"good": PASSED, "bad": FAILED, "nobody calls": AWAY},
}
"""How a run and its release end; `Inconclusive`: a person is asked."""


def told(shipped: Shipped, tale: Tale) -> Store:
    """What the tale leaves in a Prometheus."""
    store, begin = Store(retention=10_000_000), NOW.timestamp()
    for series, gained in shipped.series.items():
        total, labels = 0.0, labels_of(series)
        for second in range(-BEFORE, AFTER, EVERY):
            store.append(labels, round((begin + second) * 1000), total)
            total += gained(tale.rate(second), tale.bad(second)) * EVERY
    for series, value in shipped.gauges.items():
        for second in range(-BEFORE, AFTER, EVERY):
            store.append(labels_of(series), round((begin + second) * 1000), value)
    return store


def templates(file: str) -> list[Manifest]:
    return list(yaml.safe_load_all((POLICIES / file).read_text()))


def run_of(shipped: Shipped) -> Manifest:
    """The run that an analysis step makes of the template."""
    known = templates(shipped.file)
    template = next(one for one in known if one["metadata"]["name"] == shipped.name)
    metadata = {"name": "check", "namespace": NAMESPACE, "uid": "u-1", "labels": LABELS}
    return trial_run(template, known, TrialArguments(shipped.given), metadata)


@asynccontextmanager
async def place(store: Store) -> AsyncIterator[Stage]:
    server = Server(store, lambda: NOW.timestamp())
    await server.start()
    try:
        async with metrics_client() as http, stage({"prometheus": prometheus_at(http, server.url)}) as found:
            yield found
    finally:
        await server.stop()


async def played(shipped: Shipped, tale: Tale) -> Manifest:
    """The run at its end."""
    async with place(told(shipped, tale)) as at:
        manifest = run_of(shipped)
        await at.create(manifest)
        wake = await at.look()
        for _ in range(PASSES):
            if wake is None:
                break
            wake = await at.after(max((wake - at.clock.now()).total_seconds(), 0) + 1)
        return {**manifest, "status": await at.status()}


def rows() -> Iterable[tuple[str, str]]:
    return [(name, tale) for name, ends in ENDS.items() for tale in ends]


@pytest.mark.parametrize(("name", "tale"), rows())
async def test_a_shipped_template_ends_a_release_as_its_comment_says(name: str, tale: str) -> None:
    ended = await played(TEMPLATES[name], TALES[tale])
    expected = ENDS[name][tale]
    if expected == SILENT:
        assert ended["status"]["phase"] == SILENT, ended["status"].get("message")
    else:
        assert row(ended, {}) == expected, ended["status"]


def test_every_shipped_template_has_its_story() -> None:
    documents = [(file.name, one) for file in POLICIES.glob("*.yaml") for one in templates(file.name)]
    shipped = {(file, one["metadata"]["name"]) for file, one in documents if one["kind"].endswith("AnalysisTemplate")}
    assert shipped == {(one.file, one.name) for one in TEMPLATES.values()}
    assert set(ENDS) == set(TEMPLATES)
    assert all({"good", "bad"} <= set(ends) for ends in ENDS.values()), "one that can only pass, or only fail, decides nothing"
