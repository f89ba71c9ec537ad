"""Kayenta: a canary analysis that it runs by itself, begun, awaited and judged by its score (contract 7.10).

Shape: github.com/spinnaker/kayenta, docs: `GET /canaryConfig`, `POST /canary/{id}`, `GET /canary/{executionId}`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeGuard
from urllib.parse import quote, urlencode

from reconciler.analysis.model import Measurement, Metric, RunPhase
from reconciler.analysis.provider import MeasurementTask, ended
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.fields import Fields
from reconciler.kernel.identity import Manifest
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.problem import InvalidField, Problem, required
from reconciler.kernel.shapes import Shapes
from reconciler.providers.answers import failed
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import confided
from reconciler.web.client import HttpAnswer, HttpCall

EXECUTION = "canaryExecutionId"
POLL = timedelta(seconds=15)
TIMEOUT = 15.0
RESPONSE_LIMIT = 4 << 20
SHOWN = 500
NEEDED = ("address", "application", "canaryConfigName", "metricsAccountName", "configurationAccountName", "storageAccountName")
SIDES = ("controlScope", "experimentScope")


class Kayenta:
    """Begins an execution at the server that a metric names, and looks at it until it is complete."""

    shapes: ClassVar[Shapes] = {
        "kayenta": "address:text application:text canaryConfigName:text metricsAccountName:text configurationAccountName:text"
        " storageAccountName:text threshold:KayentaThreshold scopes[]:KayentaScope lookback",
        "KayentaThreshold": "pass marginal",
        "KayentaScope": "name:text controlScope:KayentaSide experimentScope:KayentaSide",
        "KayentaSide": "scope:text region:text step start:text end:text",
    }

    def __init__(self, http: MetricsClient) -> None:
        self._http = http

    async def run(self, task: MeasurementTask) -> Measurement:
        config = Fields("kayenta", task.metric.config)
        try:
            known = await self._ask("GET", _url(config, "canaryConfig", {"configurationAccountName": config.text("storageAccountName")}))
            found = _config_id(known, config.text("canaryConfigName"))
            accounts = {name: config.text(name) for name in NEEDED[3:]}
            begun = await self._ask("POST", _url(config, f"canary/{quote(found, safe='')}", accounts), body_of(config, task))
            execution = begun.get("canaryExecutionId") if isinstance(begun, dict) else None
            if not _identifies(execution):
                raise Terminal("kayenta began no execution")
        except (Terminal, Transient) as error:
            return failed(task, error)
        told = {EXECUTION: execution}
        return Measurement(phase=RunPhase.RUNNING, started=task.now, resume_at=task.now + POLL, metadata=told)

    async def resume(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        config = Fields("kayenta", task.metric.config)
        try:
            execution = quote(measurement.metadata.get(EXECUTION, ""), safe="")
            if not execution:
                raise Terminal("the measurement does not say which execution it waits for")
            answer = await self._ask("GET", f"{config.text('address').rstrip('/')}/canary/{execution}")
            score = _score(answer)
        except (Terminal, Transient) as error:
            return replace(failed(task, error), started=measurement.started, metadata=measurement.metadata)
        if score is None:
            return replace(measurement, resume_at=task.now + POLL)
        return replace(measurement, phase=_phase(config, score), value=str(score), finished=task.now, resume_at=None)

    async def terminate(self, task: MeasurementTask, measurement: Measurement) -> Measurement:
        """The execution goes on at the server, and is looked at no more."""
        return ended(task, measurement)

    async def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        call = HttpCall(method=method, url=url, headers=headers, body=sent, timeout=TIMEOUT, limit=RESPONSE_LIMIT)
        return _document(await self._http.send(call, insecure=False, sharing=Sharing.IN_FLIGHT if method == "GET" else Sharing.NEVER))

    @staticmethod
    def problems(config: Manifest) -> Iterator[Problem]:
        """What can be seen before a request: what is needed, the threshold and the scopes."""
        fields = Fields("kayenta", config)
        try:
            for key in NEEDED:
                if not fields.text(key):
                    yield required(f"kayenta.{key}", "the words of the server for it")
            limits = fields.under("threshold")
            if limits.number_or("pass", 0) < limits.number_or("marginal", 0):
                yield Problem("kayenta.threshold.pass", "is below marginal: nothing could be inconclusive")
            if not fields.each("scopes"):
                yield required("kayenta.scopes", "what is compared with what")
            for scope in fields.each("scopes"):
                yield from _scope_problems(scope)
        except InvalidField as error:
            yield error.problem

    def secrets(self, metric: Metric) -> Iterator[str]:
        yield from confided(metric.config)


def _scope_problems(scope: Fields) -> Iterator[Problem]:
    times = [bool(scope.under(side).text(edge)) for side in SIDES for edge in ("start", "end")]
    if any(times) and not all(times):
        yield Problem(scope.path, "start and end are set for both sides or for none")
    for side in SIDES:
        for edge in ("start", "end"):
            scope.under(side).moment(edge)


def _url(config: Fields, path: str, more: Mapping[str, str]) -> str:
    asked = urlencode({"application": config.text("application"), **more})
    return f"{config.text('address').rstrip('/')}/{path}?{asked}"


def body_of(config: Fields, task: MeasurementTask) -> Mapping[str, Any]:
    """What is compared, over which time; where no times are set, over the last interval, or since the run began with `lookback`."""
    begin = _begin(config, task)
    scopes = {scope.text("name"): {side: _side(scope.under(side), begin, task.now) for side in SIDES} for scope in config.each("scopes")}
    limits = config.under("threshold")
    return {"scopes": scopes, "thresholds": {"pass": limits.number_or("pass", 0), "marginal": limits.number_or("marginal", 0)}}


def _side(side: Fields, begin: datetime, end: datetime) -> Mapping[str, Any]:
    return {
        "scope": side.text("scope"),
        "location": side.text("region"),
        "step": side.number_or("step", 0),
        "start": side.text("start") or _written(begin),
        "end": side.text("end") or _written(end),
    }


def _begin(config: Fields, task: MeasurementTask) -> datetime:
    if config.flag("lookback"):
        started = str((task.run.get("status") or {}).get("startedAt") or "")
        return parse_moment(started) if started else task.now
    return task.now - (task.metric.interval or timedelta())


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _document(answer: HttpAnswer) -> Any:
    document = answer.document()
    if answer.status >= 300 or document is None:
        raise Terminal(f"kayenta answered {answer.status}: {answer.body.decode(errors='replace').strip()[:SHOWN]}")
    return document


def _config_id(known: Any, name: str) -> str:
    for one in known if isinstance(known, list) else ():
        if isinstance(one, dict) and one.get("name") == name and _identifies(one.get("id")):
            return str(one["id"])
    raise Terminal(f"kayenta knows no canary config {name!r}")


def _identifies(value: Any) -> TypeGuard[str]:
    """True for what can stand in an address as it is: a server may answer anything."""
    return isinstance(value, str) and bool(value.strip(".")) and value.isascii() and value.isprintable()


def _score(answer: Any) -> int | None:
    """The score of a complete execution; None while it runs. Raises Terminal."""
    if not isinstance(answer, dict):
        raise Terminal("kayenta answered without an execution")
    if not answer.get("complete"):
        return None
    value: Any = answer
    for part in ("result", "judgeResult", "score", "score"):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise Terminal("kayenta completed without a score from 0 to 100")
    return int(value)


def _phase(config: Fields, score: int) -> RunPhase:
    limits = config.under("threshold")
    if score >= limits.number_or("pass", 0):
        return RunPhase.SUCCESSFUL
    return RunPhase.INCONCLUSIVE if score >= limits.number_or("marginal", 0) else RunPhase.FAILED
