"""Watches the cluster while a story is played and remembers what the page shows: weights, measurements, releases."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from reconciler.kernel.resources import ANALYSIS_RUNS, RELEASES, VIRTUAL_SERVICES
from reconciler.routers.nginx import INGRESSES, NGINX, WEIGHT
from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.rehearsal.record import Measured, Weights

LIMITS: Mapping[str, str] = {
    "successCondition": "passes when",
    "failureCondition": "fails when",
    "failureLimit": "failures allowed",
    "inconclusiveLimit": "answers without verdict allowed",
    "count": "measurements",
    "interval": "every",
}
MOST_VALUES = 60


class Recorder:
    """Follows VirtualServices, canary Ingresses, AnalysisRuns and Releases; times are seconds since `began` (Unix seconds)."""

    def __init__(self, api: ApiClient, began: float) -> None:
        self._api = api
        self._began = began
        self._tasks: list[asyncio.Task[None]] = []
        self._runs: dict[str, Mapping[str, Any]] = {}
        self._shares: dict[str, tuple[Mapping[str, int], tuple[str, ...]]] = {}
        self.weights: list[Weights] = []
        self.releases: dict[str, Mapping[str, Any]] = {}

    async def __aenter__(self) -> Self:
        followers = (self._follow_routes(), self._follow_ingresses(), self._follow_runs(), self._follow_releases())
        self._tasks = [asyncio.create_task(work) for work in followers]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def measured(self) -> list[Measured]:
        """Every metric of every run seen so far, in the order the runs began; a run that is gone is still told."""
        runs = sorted(self._runs.values(), key=lambda run: str(run["metadata"].get("creationTimestamp", "")))
        return [measured for run in runs for measured in measured_in(run)]

    async def _follow_routes(self) -> None:
        async for event, manifest in self._api.watch(f"{VIRTUAL_SERVICES.path}/{VIRTUAL_SERVICES.plural}"):
            if event != "DELETED":
                self.note_routes(manifest, time.time() - self._began)

    def note_routes(self, manifest: Mapping[str, Any], at: float) -> None:
        """Remember the weights of each weighted route, if they differ from the last ones."""
        place = f"{manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}"
        headers = tuple(route["name"] for route in manifest["spec"].get("http") or () if route.get("match") and route.get("name"))
        for route in manifest["spec"].get("http") or ():
            shares = {str(target["destination"].get("host", "")): int(target.get("weight", 100)) for target in route.get("route") or ()}
            name = f"{place}:{route.get('name', '')}"
            if len(shares) > 1 and self._shares.get(name) != (shares, headers):
                self._shares[name] = (shares, headers)
                self.weights.append(Weights(at, name, shares, headers))

    async def _follow_ingresses(self) -> None:
        async for event, manifest in self._api.watch(f"{INGRESSES.path}/{INGRESSES.plural}"):
            if event != "DELETED":
                self.note_ingress(manifest, time.time() - self._began)

    def note_ingress(self, manifest: Mapping[str, Any], at: float) -> None:
        """Remember the weight of a canary Ingress, if it differs from the last one."""
        weight = (manifest["metadata"].get("annotations") or {}).get(f"{NGINX}/{WEIGHT}")
        if weight is None:
            return
        name = f"{manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}"
        shares = {"stable": 100 - int(weight), "canary": int(weight)}
        if self._shares.get(name) != (shares, ()):
            self._shares[name] = (shares, ())
            self.weights.append(Weights(at, name, shares))

    async def _follow_runs(self) -> None:
        async for event, manifest in self._api.watch(f"{ANALYSIS_RUNS.path}/{ANALYSIS_RUNS.plural}"):
            if event != "DELETED":
                self._runs[manifest["metadata"]["uid"]] = manifest

    async def _follow_releases(self) -> None:
        async for event, manifest in self._api.watch(f"{RELEASES.path}/{RELEASES.plural}"):
            if event != "DELETED":
                self.releases[manifest["metadata"]["name"]] = manifest


def measured_in(run: Mapping[str, Any]) -> list[Measured]:
    """The metrics of one AnalysisRun with their measurements and limits."""
    limits = {metric["name"]: _limits(metric, run["spec"].get("args") or ()) for metric in run["spec"].get("metrics") or ()}
    results = (run.get("status") or {}).get("metricResults") or ()
    return [_measured(str(run["metadata"]["name"]), result, limits.get(result["name"], "")) for result in results]


def _measured(run: str, result: Mapping[str, Any], limits: str) -> Measured:
    last = (result.get("measurements") or [])[-MOST_VALUES:]
    return Measured(
        run=run,
        metric=str(result["name"]),
        phase=str(result.get("phase", "")),
        values=tuple(str(measurement.get("value", "")) for measurement in last),
        phases=tuple(str(measurement.get("phase", "")) for measurement in last),
        limits=limits,
        successful=int(result.get("successful", 0)),
        failed=int(result.get("failed", 0)),
        inconclusive=int(result.get("inconclusive", 0)) + int(result.get("error", 0)),
        message=str(result.get("message") or next((m["message"] for m in reversed(last) if m.get("message")), "")),
    )


def _limits(metric: Mapping[str, Any], arguments: Sequence[Mapping[str, Any]]) -> str:
    """The conditions with their arguments filled in; a secret argument stays a name."""
    text = "; ".join(f"{words}: {metric[name]}" for name, words in LIMITS.items() if metric.get(name) not in (None, ""))
    for argument in arguments:
        if "value" in argument:
            text = text.replace(f"{{{{args.{argument['name']}}}}}", str(argument["value"]))
    return text
