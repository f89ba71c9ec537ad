"""Metric plug-ins as other people write them: good, slow, and broken in each way that the contract knows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

from reconciler.analysis.model import Measurement, Metric, RunPhase
from reconciler.analysis.provider import MeasurementTask
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem
from reconciler.kernel.shapes import Shapes
from reconciler.providers.answers import judged
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.plugins import GROUP
from reconciler.web.client import HttpCall


def point(name: str, value: str) -> EntryPoint:
    """An entry point that leads into this module."""
    return EntryPoint(name, f"tests.kit.metricplugins:{value}", GROUP)


class Latency:
    """Asks an address for a number."""

    shapes: ClassVar[Shapes] = {}

    def __init__(self, http: MetricsClient) -> None:
        self._http = http

    async def run(self, task: MeasurementTask) -> Measurement:
        call = HttpCall(method="GET", url=task.metric.config["url"], headers={"X-Key": str(task.metric.config.get("apiKey"))})
        answer = await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT)
        return judged(task, float(answer.body), answer.body.decode(), {"series": "1", "said": f"with {task.metric.config.get('apiKey')}"})

    def question(self, metric: Metric) -> Mapping[str, str]:
        return {"ResolvedLatencyQuery": f"GET {metric.config['url']}"}

    @staticmethod
    def problems(config: Manifest) -> Iterable[Problem]:
        if not config.get("url"):
            yield Problem("url", "is required")


class Slow:
    """Takes longer than a request."""

    def __init__(self, http: MetricsClient) -> None:
        self.ended = False

    async def run(self, task: MeasurementTask) -> Measurement:
        return Measurement(phase=RunPhase.RUNNING, resume_at=task.now + timedelta(seconds=1), metadata={"handle": "h-1"})

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        return replace(measurement, phase=RunPhase.SUCCESSFUL, value="done")

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        return measurement if task.metric.config.get("stubborn") else replace(measurement, phase=RunPhase.INCONCLUSIVE)


class Broken:
    """Answers whatever its configuration says that it shall break."""

    def __init__(self, http: MetricsClient) -> None:
        pass

    async def run(self, task: MeasurementTask) -> Any:
        match task.metric.config.get("by"):
            case "dict":
                return {"phase": "Successful"}
            case "phase":
                return Measurement(phase="Fine")  # type: ignore[arg-type]
            case "value":
                return Measurement(phase=RunPhase.SUCCESSFUL, value=None)  # type: ignore[arg-type]
            case "exits":
                raise SystemExit(3)
            case "away":
                raise Transient("the server is away")
            case "facts":
                told = {"job-name": "hunter2-hunter2", "series": "hunter2-hunter2", "fallback": "true", "own": "kept"}
                return Measurement(phase=RunPhase.SUCCESSFUL, value="1", metadata=told)
        raise RuntimeError(f"no way to break with {task.metric.config}")

    def question(self, metric: Metric) -> Mapping[str, str]:
        raise KeyError("no question")

    def secrets(self, metric: Metric) -> Iterator[str]:
        raise KeyError("no secrets")


class Demanding:
    """Cannot be made."""

    def __init__(self, http: MetricsClient, license: str) -> None:
        pass


class Silent:
    """Has no `run`."""

    def __init__(self, http: MetricsClient) -> None:
        pass


LIMIT = 3
