"""Asks one Prometheus, once, what the analyses of a planned release would ask: which have data now, and how many requests there are.

A plan is made of files that strangers may have written. So only the server that the person named is asked, without an account: addresses,
headers and credentials of the files are left out, no Secret is read, and no Job is run.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.analysis.arguments import Unresolved, literals, merge_arguments
from reconciler.analysis.templates import CLUSTER, NAMESPACED, InvalidTemplates, combine
from reconciler.analysis.trial import analyses_in
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, namespace_of
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.resources import ANALYSIS_RUNS
from reconciler.views.exposure import PlannedMetric, QueryOutcome, Volume

if TYPE_CHECKING:
    from reconciler.analysis.advance import Answer
    from reconciler.app.cli.measuring.trials import TrialHands
    from reconciler.kube.transport import Request

PROMETHEUS = "prometheus"
KEPT = ("query", "rangeQuery")
SECONDS = 10
MOST = 100
"""Questions of one plan: a pull request may name any number of metrics."""
SILENT = 3
"""So many questions without an answer are enough: a server that hangs takes its time for each."""
LONGEST = 200
NO_SERVER = "no server to ask: name one with --prometheus, or `prometheus` in the settings"


@dataclass(frozen=True, slots=True)
class PlanQuestions:
    """What a person said about measuring."""

    address: str = ""
    """The only server that is asked."""
    why_not: str = NO_SERVER
    """Why none is."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Arguments of analyses, by name: they win over what a Rollout gives."""
    volume: str = ""
    """PromQL: the requests a second of one workload; `{{args.namespace}}` and `{{args.workload}}` stand in it."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """One command's questions. Every failure is an answer that says so: a plan is made without measurements, too."""

    hands: "TrialHands"
    asking: PlanQuestions
    found: list[QueryOutcome] = field(default_factory=list)
    """What was answered so far."""

    async def of(self, rollout: Manifest, known: Sequence[Manifest]) -> tuple[PlannedMetric, ...]:
        """Each metric of the analyses that a Rollout names; `known` are the templates that were rendered with it."""
        namespace = namespace_of(rollout)
        templates = [one for one in known if one["kind"] == CLUSTER or namespace_of(one) == namespace]
        found = [
            one for analysis in analyses_in((rollout.get("spec") or {}).get("strategy")) for one in _asked(rollout, analysis, templates)
        ]
        answers: dict[str, PlannedMetric] = {}
        for one in found:
            key = json.dumps([one.metric, one.arguments, one.problem], sort_keys=True, default=str)
            if key not in answers:
                answers[key] = await self._answer(one, namespace)
        return tuple(answers.values())

    async def volume(self, namespace: str, workload: str) -> Volume:
        """How many requests the workload answers now."""
        if not self.asking.volume:
            return Volume(why="name a query with --volume")
        why_not = self._enough() if self.asking.address else self.asking.why_not
        if why_not:
            return Volume(why=why_not)
        found = await self._volume(namespace, workload)
        self.found.append(QueryOutcome.NO_ANSWER if found.per_second is None else QueryOutcome.DATA)
        return found

    async def _volume(self, namespace: str, workload: str) -> Volume:
        metric = {"name": "volume", "provider": {PROMETHEUS: {"query": self.asking.volume}}}
        arguments = [{"name": "namespace", "value": namespace}, {"name": "workload", "value": workload}]
        try:
            answer = await self._measured(metric, arguments, namespace)
        except (Terminal, Transient, InvalidField) as error:
            return Volume(why=str(error)[:LONGEST])
        if answer is None or answer.measurement is None or answer.measurement.message:
            return Volume(why=_said(answer))
        found = [value for value in _numbers(answer.measurement.value) if isfinite(value)]
        return Volume(per_second=sum(found)) if found else Volume(why="the query of --volume has no data now")

    async def _answer(self, one: "_AskedMetric", namespace: str) -> PlannedMetric:
        def told(found: QueryOutcome, why: str = "") -> PlannedMetric:
            if found is not QueryOutcome.NOT_ASKED:
                self.found.append(found)
            return PlannedMetric(metric=one.name, provider=one.provider, found=found, why=why[:LONGEST])

        why_not = one.problem or _why_not(one, self.asking) or self._enough()
        if why_not:
            return told(QueryOutcome.NOT_ASKED, why_not)
        arguments = [{"name": a["name"], "value": self.asking.given.get(a["name"], a.get("value", ""))} for a in one.arguments]
        try:
            answer = await self._measured(one.metric, arguments, namespace)
        except (Terminal, Transient, InvalidField) as error:
            return told(QueryOutcome.NO_ANSWER, str(error))
        return _told(answer, told)

    def _enough(self) -> str:
        """Why no more is asked in this plan; empty while more may be."""
        if len(self.found) >= MOST:
            return f"{MOST} questions were asked already"
        if len(self.found) >= SILENT and set(self.found[-SILENT:]) == {QueryOutcome.NO_ANSWER}:
            return f"{SILENT} questions in a row had no answer"
        return ""

    async def _measured(self, metric: Manifest, arguments: Sequence[Manifest], namespace: str) -> "Answer | None":
        """The answer to one metric, asked by the daemon's own client. Raises Terminal for one that the daemon would refuse."""
        from reconciler.analysis.manifest import parse_run
        from reconciler.app.cli.measuring.trials import TrialOptions, checked_terms, trial_metadata, trial_passes

        run = parse_run(_run(_bare(metric, self.asking.address), arguments, trial_metadata(namespace)))
        options = TrialOptions(prometheus=self.asking.address)
        passes = trial_passes(self.hands, run, checked_terms(self.hands, run), options)
        answers = [answer async for passed in passes for answer in passed.answers]
        return answers[-1] if answers else None


@dataclass(frozen=True, slots=True)
class _AskedMetric:
    """One metric of one analysis, with what the Rollout gives it; `problem` says why it cannot be asked."""

    name: str
    metric: Manifest = field(default_factory=dict)
    arguments: tuple[Manifest, ...] = ()
    unknown: frozenset[str] = frozenset()
    """Arguments that only the cluster knows."""
    problem: str = ""

    @property
    def provider(self) -> str:
        config = self.metric.get("provider")
        return next(iter(config), "unknown") if isinstance(config, dict) else "unknown"


def _asked(rollout: Manifest, analysis: Manifest, templates: Sequence[Manifest]) -> list[_AskedMetric]:
    """The metrics of one analysis; one line that says why where its templates or arguments cannot be had."""
    named = ", ".join(str(one.get("templateName")) for one in analysis.get("templates") or () if isinstance(one, dict))
    try:
        return list(_metrics_of(rollout, analysis, templates))
    except InvalidTemplates as error:
        return [_AskedMetric(f"of {named}", problem=f"{error}; only templates of the sources that are planned are known")]
    except (Unresolved, InvalidField, AttributeError, TypeError, KeyError, ValueError) as error:
        return [_AskedMetric(f"of {named}", problem=f"cannot be read: {error}: `reconciler lint` says where")]


def _metrics_of(rollout: Manifest, analysis: Manifest, templates: Sequence[Manifest]) -> Iterator[_AskedMetric]:
    combined = combine(templates, analysis)
    if isinstance(combined, str):
        raise InvalidTemplates(combined)
    given = literals(analysis.get("args") or [], rollout, {"Latest": "", "Stable": ""})
    arguments = merge_arguments(given, combined.arguments)
    of_pods = {str(one.get("name")) for one in analysis.get("args") or () if _of_pods(one)}
    of_secrets = {str(one.get("name")) for one in arguments if (one.get("valueFrom") or {}).get("secretKeyRef")}
    for metric in combined.metrics:
        yield _AskedMetric(str(metric.get("name")), metric, tuple(arguments), frozenset(of_pods | of_secrets))


def _of_pods(argument: Any) -> bool:
    return bool(isinstance(argument, dict) and (argument.get("valueFrom") or {}).get("podTemplateHashValue"))


def _why_not(one: _AskedMetric, asking: PlanQuestions) -> str:
    if one.provider != PROMETHEUS:
        return "only Prometheus is; `reconciler analyze` asks every provider"
    if not asking.address:
        return asking.why_not
    text = json.dumps(one.metric, default=str)
    missing = [name for name in sorted(one.unknown - asking.given.keys()) if f"args.{name}" in text]
    return f"only the cluster knows its argument {', '.join(missing)}: give --arg {missing[0]}=VALUE of what serves" if missing else ""


def _told(answer: "Answer | None", told: Any) -> PlannedMetric:
    from reconciler.views.measuring.analyses import tried_measurement

    measured = tried_measurement(answer) if answer is not None else None
    if measured is None or (measured.message and not measured.value):
        found: PlannedMetric = told(QueryOutcome.NO_ANSWER, measured.message if measured else "the server gave no answer")
        return found
    found = told(QueryOutcome.DATA if measured.founded else QueryOutcome.EMPTY, measured.value)
    return found


def _said(answer: "Answer | None") -> str:
    return (answer.measurement.message if answer is not None and answer.measurement is not None else "the server gave no answer")[:LONGEST]


def _bare(metric: Manifest, address: str) -> Manifest:
    """The metric with its query and nothing that says where, and as whom, to ask."""
    config = (metric.get("provider") or {}).get(PROMETHEUS)
    if not isinstance(config, dict):
        raise Terminal(f"metric {metric.get('name')}: provider.prometheus is no object")
    kept = {key: config[key] for key in KEPT if key in config}
    return {**metric, "provider": {PROMETHEUS: {**kept, "address": address, "timeout": SECONDS}}}


def _run(metric: Manifest, arguments: Sequence[Manifest], metadata: Manifest) -> Manifest:
    spec = {"metrics": [metric], "args": list(arguments)}
    return {"apiVersion": ANALYSIS_RUNS.api_version, "kind": ANALYSIS_RUNS.kind, "metadata": metadata, "spec": spec}


def _numbers(value: str) -> list[float]:
    """The numbers of a measurement's value: `10`, `[1,2.5]`."""
    return [float(part) for part in value.strip("[]").split(",") if part.strip()]


def templates_in(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The analysis templates among manifests."""
    return [one for one in manifests if one.get("kind") in (NAMESPACED, CLUSTER)]


class NoCluster:
    """The transport of a command that has no cluster."""

    def open(self, request: "Request") -> NoReturn:
        """Raises Terminal, always."""
        raise Terminal("a plan asks no cluster")


@asynccontextmanager
async def metrics(asking: PlanQuestions) -> AsyncIterator[Metrics]:
    """What measures for one command."""
    from reconciler.app.cli.measuring.trials import TrialHands
    from reconciler.kernel.clock import SystemClock
    from reconciler.kube.client import Client
    from reconciler.kube.fence import Fence
    from reconciler.providers.metrics_client import MetricsClient
    from reconciler.providers.registry import installed
    from reconciler.web.client import ClientSettings, open_client

    async with open_client(ClientSettings(environment=True)) as http:
        measuring = MetricsClient(http, SystemClock(), SystemClock())
        yield Metrics(TrialHands(Client(NoCluster(), Fence()), measuring, installed()), asking)
