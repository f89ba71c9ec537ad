"""Provider behaviour × policy × verdict, row by row of truth.txt: a real provider over HTTP, the controller of runs, then the judge.

What a run does to its Rollout is contract 6.11: it promotes, goes home, or is paused, and then a person promotes it.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from reconciler.kernel.identity import Manifest
from reconciler.providers.prometheus import RESPONSE_LIMIT
from reconciler.releases.model import ReleasePhase, ReleaseStatus
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.verdict.judge import judge
from tests.kit.analysis import run, stage, vector
from tests.kit.metrics import metrics_client, prometheus_at
from tests.kit.ports import free_port
from tests.kit.releases import BAD, NOW, aborted, facts, release, rollout

TABLE = Path(__file__).with_name("truth.txt")
HOME = "Rollout aborted update to revision 2: Step-based analysis phase error/failed"
RUNNING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)
LABELS = {"rollouts-pod-template-hash": BAD, "rollout-type": "Step", "step-index": "1"}
UNASKED, SKIPPED = "no analysis configured", "analysis skipped by a person"
PASSES_BOUND = 60
RATE = "sum(rate(good[1m])) / sum(rate(all[1m]))"
STRICT, LENIENT = "result[0] >= 0.95", "len(result) == 0 or isNaN(result[0]) or result[0] >= 0.95"
HANG = None


@dataclass(frozen=True)
class Play:
    """What a Prometheus answers, in order, the last for ever; what is asked of it, and by which limits.

    An answer is a number, a document, or a whole response; `HANG` never comes. `says` is in the message of the last
    measurement: without it an error could be another one than was meant.
    """

    answers: tuple[Any, ...]
    condition: str = STRICT
    query: str = RATE
    limits: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    timeout: int = 30
    says: str = ""


def document(result_type: str, result: Any) -> Manifest:
    return {"status": "success", "data": {"resultType": result_type, "result": result}}


@dataclass(frozen=True)
class Refusal:
    """A whole response, as it is."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def at(seconds: float) -> str:
    """A `Date` so many seconds from now: from when this file is read, which may be half an hour before its tests are run."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


MANY = {"count": 15, "failureLimit": 0}
KEEP_TWO = {"measurementRetention": [{"metricName": "m", "limit": 2}]}
PLAYS: Mapping[str, Play] = {
    "good": Play(("1",)),
    "bad": Play(("0.4",)),
    "bad once, once allowed": Play(("1", "0.4", "1"), limits={"failureLimit": 1}),
    "bad always, always allowed": Play(("0.4",), limits={"failureLimit": 3}),
    "bad at the end": Play(("1", "1", "0.4")),
    "between the conditions": Play(("0.9",), limits={"failureCondition": "result[0] < 0.5"}),
    "NaN": Play(("NaN",)),
    "NaN, excused": Play(("NaN",), LENIENT),
    "NaN at times, excused": Play(("1", "NaN", "1"), LENIENT),
    "infinite": Play(("+Inf",)),
    "empty": Play((vector(),), says="no data returned from the metric provider"),
    "empty, excused": Play((vector(),), LENIENT),
    "empty, no condition": Play((vector(),), ""),
    "null": Play((document("vector", None),), LENIENT, says="metric type not supported"),
    "null as value": Play((document("vector", [{"metric": {}, "value": [1.0, None]}]),), LENIENT, says="a vector we cannot read"),
    "fallback says well": Play(("1",), query=f"{RATE} or vector(1)"),
    "fallback says badly": Play(("0",), query=f"{RATE} or vector(0)"),
    "timeout": Play((HANG,), timeout=1, limits={"consecutiveErrorLimit": 0}, says="no answer within 1 s"),
    "no connection": Play((), says="no answer: nobody listens there"),
    "an error in between": Play(("1", Refusal(503), "1")),
    "wrong type": Play((document("string", [1.0, "0.99"]),), says="metric type not supported"),
    "no number": Play((document("vector", [{"metric": {}, "value": [1.0, "plenty"]}]),), says="a vector we cannot read"),
    "truncated": Play((Refusal(200, json.dumps(vector("1"))[:-9]),), says="200 without JSON"),
    "no JSON": Play((Refusal(200, "<html>sign in</html>"),), says="200 without JSON"),
    "redirected": Play((Refusal(302, headers={"Location": "http://127.0.0.1:1/api/v1/query"}),), says="302 without JSON"),
    "server error": Play((Refusal(500, "{}"),), says="500: no reason given"),
    "unauthorized": Play((Refusal(401, "who are you"),), says="401 without JSON"),
    "bad query": Play(
        (Refusal(400, json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error"})),), says="bad_data: parse error"
    ),
    "huge": Play((Refusal(200, " " * (RESPONSE_LIMIT + 1)),), says="the answer is larger"),
    "stale": Play(("1", vector()), says="no data returned from the metric provider"),
    "stale, excused": Play(("1", vector()), LENIENT),
    "partial": Play(({**vector("1"), "warnings": ["a store did not answer"]},), says="answered in part"),
    "partial, bad": Play(({**vector("0.4"), "warnings": ["a store did not answer"]},), says="answered in part"),
    "partial once": Play(("1", {**vector("1"), "warnings": ["a store did not answer"]}, "1")),
    "only a hint": Play(({**vector("1"), "warnings": ["PromQL info: metric might not be a counter"], "infos": ["PromQL info: x"]},)),
    "its clock is behind": Play((Refusal(200, json.dumps(vector("1")), {"Date": at(-12 * 3600)}),), says="s behind ours"),
    "its clock is ahead": Play((Refusal(200, json.dumps(vector("0.4")), {"Date": at(12 * 3600)}),), says="ahead of ours"),
    "a cache with an old date": Play((Refusal(200, json.dumps(vector("1")), {"Date": at(-12 * 3600), "Age": "43200"}),)),
    "10,000 series": Play((document("vector", [{"metric": {"n": str(n)}, "value": [1.0, "1"]} for n in range(10_000)]),)),
    "fallback in brackets, well": Play(("1",), query=f"({RATE} or on() vector(1))"),
    "more than kept": Play(("1",), limits=MANY, spec=KEEP_TWO),
    "more than kept, data first": Play((*["1"] * 13, vector()), LENIENT, limits=MANY, spec=KEEP_TWO),
    "more than kept, data last": Play((*[vector()] * 13, "1"), LENIENT, limits=MANY, spec=KEEP_TWO),
}
POLICIES: Mapping[str, Manifest] = {
    "default": {},
    "onFailure propose": {"onFailure": "propose"},
    "onFailure none": {"onFailure": "none"},
    "onNoEvidence restore": {"onNoEvidence": "restore"},
    "onNoEvidence none": {"onNoEvidence": "none"},
    "minimumSample 3": {"minimumSample": 3},
    "minimumSample 12": {"minimumSample": 12},
    "requireAnalysis": {"requireAnalysis": True},
}


class Server:
    """A Prometheus that answers by a play. What a query is without its fallback has no data."""

    def __init__(self, play: Play) -> None:
        self._play, self._asked, self._over = play, 0, asyncio.Event()
        self.url = ""

    async def start(self, stack: AsyncExitStack) -> None:
        if not self._play.answers:
            self.url = f"http://127.0.0.1:{free_port()}"
            return
        runner = web.ServerRunner(web.Server(self._respond), shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.callback(self._over.set)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        if parse_qs(await request.text())["query"][0] != self._play.query:
            return web.json_response(vector())
        answer = self._play.answers[min(self._asked, len(self._play.answers) - 1)]
        self._asked += 1
        if answer is HANG:
            await self._over.wait()
        if isinstance(answer, Refusal):
            return web.Response(status=answer.status, text=answer.body, headers=answer.headers)
        return web.json_response(vector(answer) if isinstance(answer, str) else answer)


async def played(play: Play) -> Manifest:
    """The AnalysisRun of an attempt, asked to its end."""
    async with AsyncExitStack() as stack:
        server = Server(play)
        await server.start(stack)
        http = await stack.enter_async_context(metrics_client())
        place = await stack.enter_async_context(stage({"prometheus": prometheus_at(http, "")}))
        provider = {"prometheus": {"address": server.url, "query": play.query, "timeout": play.timeout}}
        condition = {"successCondition": play.condition} if play.condition else {}
        asked = {"name": "m", "count": 3, "interval": "10s", **condition, **play.limits, "provider": provider}
        manifest = run(asked, **play.spec)
        manifest["metadata"]["labels"] = LABELS
        await place.create(manifest)
        wake = await place.look()
        for _ in range(PASSES_BOUND):
            if wake is None:
                break
            wake = await place.after(max((wake - place.clock.now()).total_seconds(), 0) + 1)
        return {**manifest, "metadata": {**manifest["metadata"], "uid": "u-1"}, "status": await place.status()}


def live(phase: str, *, asks: bool = True) -> Manifest:
    """The Rollout that a run in this phase leaves behind, where a person promotes what was paused; `asks`: it has an analysis."""
    gone_home = phase in ("Failed", "Error")
    found = rollout(**aborted(HOME)) if gone_home else rollout(current=BAD, stable=BAD, phase="Healthy")
    steps = [{"setWeight": 30}, *([{"analysis": {"templates": [{"templateName": "t"}]}}] if asks else [])]
    return {**found, "spec": {**found["spec"], "strategy": {"canary": {"steps": steps}}}}


def policy(spec: Manifest) -> ReleasePolicy:
    return parse_policy({"kind": "ReleasePolicy", "metadata": {"name": "p", "namespace": "shop"}, "spec": spec})


def row(ended: Manifest | None, spec: Manifest, *, asks: bool = True) -> tuple[str, ...]:
    """How the run ended, the verdict, what is written to Git, and whether the version is held."""
    phase = ended["status"]["phase"] if ended is not None else "-"
    known = facts(rollout=live(phase, asks=asks), runs=(ended,) if ended is not None else ())
    status = judge(release(status=RUNNING), policy(spec), known, NOW)
    assert judge(release(status=status), policy(spec), known, NOW) == status
    git = status.restore.mode.value if status.restore is not None else "-"
    return phase, str(status.verdict), git, "held" if status.held else "-"


def expected() -> dict[str, dict[str, tuple[str, ...]]]:
    """The rows of the file by behaviour and policy."""
    rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for behaviour, policy, *cells in rows:
        assert policy not in found.setdefault(behaviour, {}), f"twice: {behaviour}, {policy}"
        found[behaviour][policy] = tuple(cells)
    return found


@pytest.mark.parametrize("behaviour", PLAYS)
async def test_every_policy_makes_of_a_behaviour_what_its_row_says(behaviour: str) -> None:
    play = PLAYS[behaviour]
    ended = await played(play)
    told = ended["status"]["metricResults"][0]["measurements"][-1].get("message", "")
    assert play.says in told if play.says else not told
    assert {name: row(ended, spec) for name, spec in POLICIES.items()} == expected()[behaviour]


@pytest.mark.parametrize(("behaviour", "asks"), [(UNASKED, False), (SKIPPED, True)])
def test_every_policy_makes_of_no_run_at_all_what_its_row_says(behaviour: str, asks: bool) -> None:
    assert {name: row(None, spec, asks=asks) for name, spec in POLICIES.items()} == expected()[behaviour]


def test_an_inconclusive_run_leaves_the_release_open_until_a_person_ends_it() -> None:
    ended = run(status={"phase": "Inconclusive"})
    ended["metadata"] |= {"uid": "u-1", "labels": LABELS}
    paused = {**live("-"), "status": rollout(phase="Paused")["status"]}
    assert judge(release(status=RUNNING), policy({}), facts(rollout=paused, runs=(ended,)), NOW).verdict is None


def test_the_file_has_a_row_for_every_pair_and_none_besides() -> None:
    known = expected()
    assert {behaviour: set(rows) for behaviour, rows in known.items()} == {
        behaviour: set(POLICIES) for behaviour in (*PLAYS, UNASKED, SKIPPED)
    }
    assert sum(map(len, known.values())) >= 200


SILENT = (
    *("NaN", "NaN, excused", "empty", "empty, excused", "empty, no condition", "null", "null as value", "fallback says well"),
    *("infinite", "partial", "partial, bad", "its clock is behind", "its clock is ahead", "fallback in brackets, well"),
    *("fallback says badly", "timeout", "no connection", "wrong type", "no number", "truncated", "no JSON", "redirected"),
    *("server error", "unauthorized", "bad query", "huge"),
)
"""Behaviours of which no measurement held data."""


@pytest.mark.parametrize("behaviour", SILENT)
def test_a_file_of_rows_in_which_silence_speaks_is_Refusal(behaviour: str) -> None:
    """The file is data, and data can be wrong: silence neither passes nor fails a version, and by itself it is never pushed to Git."""
    for name, (phase, verdict, git, held) in expected()[behaviour].items():
        assert verdict in ("not enough evidence", "could not measure"), name
        assert held == "-", name
        assert git == "-" or (phase, verdict) == ("Failed", "not enough evidence"), name
        assert git != "push" or name == "onNoEvidence restore", name
