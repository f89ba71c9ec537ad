"""Plays the demo's stories on a real control plane, in good times and in bad, and says what did not come out as told.

What differs from the demo: the steps of the storefront and the watch after a promotion last longer, because whoever counts requests
beside another play must not be overtaken.
With faults deadlines are put off, bursts are smaller, and that everybody is on one version may become true a little later than the rest.
"""

import asyncio
import json
import os
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from reconciler_sandbox.client import Answer, ApiError, Call, Caller
from reconciler_sandbox.rehearsal.actions import Hands
from reconciler_sandbox.rehearsal.child import Ran
from reconciler_sandbox.rehearsal.demo import chosen_stories
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.player import Player
from reconciler_sandbox.rehearsal.record import Entry, Outcome
from reconciler_sandbox.rehearsal.stage import Elsewhere, Stage
from reconciler_sandbox.rehearsal.story import Expect, Expectation, Share, Step, Story, Tagged, Together

from reconciler.kernel.resources import ANALYSIS_RUNS, EVENTS, JOBS, RELEASES, REPLICA_SETS, ROLLOUTS, SERVICES
from tests.kit.wait import until
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

SAMPLE = Path(__file__).resolve().parents[3] / "sample-repo"
Changes = Mapping[str, Mapping[str, str]]
DARK, STEP = "- pause: {duration: 8s}", "- pause: {duration: 6s}"
LONGER: Changes = {
    "storefront/base/rollout.yaml": {DARK: "- pause: {duration: 14s}", STEP: "- pause: {duration: 10s}"},
    "storefront/base/policy.yaml": {"window: 20s": "window: 26s"},
    "environments/demo/analysis/success-rate.yaml": {"count: 5": "count: 8"},
    "storefront/base/network.yaml": {"timeout: 2s": "timeout: 6s"},
    "environments/demo/checkout/network.yaml": {"timeout: 2s": "timeout: 6s"},
    "environments/demo/web/network.yaml": {"timeout: 1s": "timeout: 3s"},
}
MUCH_LONGER: Changes = {
    **LONGER,
    "storefront/base/rollout.yaml": {DARK: "- pause: {duration: 30s}", STEP: "- pause: {duration: 25s}"},
}
DISTURBED: Mapping[str, Any] = {"allowance": 60.0, "burst": 600}
PATIENCE = 90.0
NOBODY_ANSWERS = b"404 page not found\n"
STATUS = "/status"
SEED = "RECONCILER_SEED"
LOOK_AGAIN_SECONDS = 0.05
SAID_LATER = 30.0
"""Seconds within which a run that goes on has said what it has done."""
KEPT = (ROLLOUTS, RELEASES, ANALYSIS_RUNS, REPLICA_SETS, SERVICES, JOBS, EVENTS)
RESTORES: Mapping[str, int] = {"storefront": 2, "checkout": 1, "web": 1, "search": 1}


class PatientStage(Stage):
    """A stage whose people wait with their commands until the API server is there: `away` is held while it is not."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.away = asyncio.Lock()

    async def command(self, words: tuple[str, ...]) -> Ran:
        async with self.away:
            return await super().command(words)


@dataclass(slots=True)
class Scene:
    """A stage on which stories are being played; what went wrong on purpose is noted, with its time."""

    stage: PatientStage
    dice: Random
    entries: list[Entry] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def note(self, words: str) -> None:
        at = asyncio.get_running_loop().time() - self.began
        self.troubles.append(f"{at:.1f} s: {words}")

    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @property
    def outcomes(self) -> list[Outcome]:
        return [entry.outcome for entry in self.entries if entry.outcome is not None]

    async def installed(self) -> None:
        """Wait until every story of the demo has met a daemon that is ready."""
        await until(lambda: sum(outcome.what == "the daemon is ready" for outcome in self.outcomes) == len(RESTORES), PATIENCE)

    async def moment(self) -> None:
        """Wait until weights move, a claim of a story is settled or a release is told something new, or some seconds; and a little more."""
        before = self._seen()
        with suppress(AssertionError):
            await until(lambda: self._seen() != before, self.dice.uniform(8, 15))
        await asyncio.sleep(self.dice.uniform(0, 1))

    def _seen(self) -> tuple[Any, ...]:
        recorder = self.stage.recorder
        return len(recorder.weights), len(self.outcomes), [m["metadata"]["resourceVersion"] for m in recorder.releases.values()]


Trouble = Callable[[Scene], Awaitable[None]]
"""What goes wrong, for as long as the stories last; it is cancelled when they end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """How a play differs from the demo: who the daemon is and what it is told, what is there before, what else is told, what goes wrong.

    `settings` replace settings of the daemon, `source` those of its source; `objects` are (collection, manifest).
    """

    daemon_kubeconfig: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    objects: Sequence[tuple[str, Mapping[str, Any]]] = ()
    further: Sequence[Story] = ()
    trouble: Trouble | None = None
    longer: Changes = field(default_factory=lambda: LONGER)
    """What of the sample lasts longer than in the demo, by file."""
    allowance: float = 0.0
    """Seconds that every deadline is put off: a fault takes time, and a claim that holds is not waited for."""
    burst: int = 2000
    """The most requests at once: how exactly shares are kept is the subject of the play without faults."""


def seed() -> int:
    """What all dice of a play begin with."""
    return int(os.environ.get(SEED) or 1)


async def played(server: Server, folder: Path, arrangement: Arrangement) -> Scene:
    """Every story of the demo, side by side. Fails with every claim that did not hold, the seed, and what went wrong when."""
    if server.real is not None and not server.real.has_controllers:
        pytest.skip("no kube-controller-manager is among the programs given: nothing would run")
    stories = [_retold(story, arrangement) for story in (*chosen_stories(""), *arrangement.further)]
    async with caller(server) as call:
        kubeconfig = server.kubeconfig.read_text(encoding="utf-8")
        elsewhere = Elsewhere(patient(call), kubeconfig, arrangement.daemon_kubeconfig)
        sample = shutil.copytree(SAMPLE, folder / "sample")
        lengthen(sample, arrangement.longer)
        async with PatientStage(sample, elsewhere=elsewhere) as stage, Hands(stage) as hands:
            _amend(stage.settings_file, arrangement)
            for collection, manifest in arrangement.objects:
                await stage.api.create(collection, dict(manifest))
            scene = Scene(stage, Random(seed()))
            try:
                await _with_trouble(Player(stage, hands, scene.entries.append).play(stories), arrangement.trouble, scene)
                left = await aftermath(scene)
            finally:
                await _keep(scene, folder)
    missed = [f"{one.place}: {one.what}: {one.observed} is not {one.expected}" for one in scene.outcomes if not one.held]
    assert not missed + left, "\n".join([*missed, *left, f"{SEED}={seed()}, logs in {folder}", *scene.troubles])
    assert len(scene.outcomes) > 50
    return scene


async def _with_trouble(playing: Awaitable[bool], trouble: Trouble | None, scene: Scene) -> None:
    """Play to the end; trouble that ends before is a failure of its own."""
    tasks = [asyncio.ensure_future(playing), *([asyncio.ensure_future(trouble(scene))] if trouble else ())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(scene: Scene, folder: Path) -> None:
    """What tells afterwards how it went: the daemons' logs, and what the cluster holds."""
    for log in scene.stage.folder.glob("**/daemon*.log"):
        shutil.copy2(log, folder / f"{log.parent.name}-{log.name}")
    kept = {resource.plural: await scene.stage.api.list(f"{resource.path}/{resource.plural}") for resource in KEPT}
    told = [f"{entry.at:6.1f} {entry.lane:11} {entry.text} {(entry.outcome and entry.outcome.observed) or ''}" for entry in scene.entries]
    (folder / "timeline.txt").write_text("\n".join([*told, *scene.troubles]), encoding="utf-8")
    (folder / "objects.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


# -- before -----------------------------------------------------------------------------------------------------------


def lengthen(sample: Path, longer: Changes) -> None:
    """Let steps and watches last longer: who counts requests while another play takes the machine must not be overtaken."""
    for name, changes in longer.items():
        file = sample / name
        text = file.read_text(encoding="utf-8")
        for short, long in changes.items():
            assert short in text
            text = text.replace(short, long)
        file.write_text(text, encoding="utf-8")


def _amend(settings: Path, arrangement: Arrangement) -> None:
    told = {**yaml.safe_load(settings.read_text(encoding="utf-8")), **arrangement.settings}
    told["sources"] = [{**source, **arrangement.source} for source in told["sources"]]
    settings.write_text(yaml.safe_dump(told), encoding="utf-8")


def _retold(story: Story, arrangement: Arrangement) -> Story:
    """The same story with other deadlines and bursts; how long a claim must stay true is not touched."""
    if not arrangement.allowance:
        return story
    return replace(story, steps=tuple(told for step in story.steps for told in _steps(step, arrangement)))


def _steps(step: Step, arrangement: Arrangement) -> Iterator[Step]:
    match step.action:
        case Expect(expectations):
            arrivals = tuple(_arrival(one, one.subject) for one in expectations if isinstance(one.subject, Share))
            yield Step(action=Expect(tuple(_expectation(one, arrangement) for one in arrivals if one is not None)), place=step.place)
            yield replace(step, action=Expect(tuple(_expectation(one, arrangement) for one in expectations)))
        case Together(lanes):
            told = {name: tuple(told for step in steps for told in _steps(step, arrangement)) for name, steps in lanes.items()}
            yield replace(step, action=Together(told))
        case _:
            yield step


def _arrival(one: Expectation, share: Share) -> Expectation | None:
    """That everybody is on one version: a share is judged once, and a write that must be repeated may bring traffic there later."""
    if len(share.parts) > 1:
        return None
    [version] = share.parts
    subject = Tagged(traffic=share.traffic, headers={"x-nobody": "none"}, version=version, without=version, requests=10)
    return replace(one, what=f"{one.what}, sooner or later", subject=subject)


def _expectation(one: Expectation, arrangement: Arrangement) -> Expectation:
    subject = one.subject
    if isinstance(subject, Share):
        subject = replace(subject, requests=min(subject.requests, arrangement.burst if len(subject.parts) > 1 else arrangement.burst // 4))
    return replace(one, subject=subject, within=one.within + arrangement.allowance)


def patient(call: Caller) -> Caller:
    """What nodes, mesh and onlookers call the API server with: they ask again while it is away. Watches end, as they do anywhere.

    What a node says of a pod is not repeated: when the server is back it may not be true any more, and the node says it anew.
    """

    async def again(request: Call) -> Any:
        if request.path.endswith(STATUS):
            return await call(request)
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                answer = await call(request)
                if not _away(answer) or asyncio.get_running_loop().time() > deadline:
                    return answer
            except ApiError as error:
                if error.reason != "Unreachable" or request.query.get("watch") or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    return again


def _away(answer: Answer) -> bool:
    """A server that has just come back does not know its custom resources for a moment, and says so without a Status.

    What it has just begun to serve it answers with 429 until its cache is filled.
    """
    return answer.status >= 500 or answer.status == 429 or (answer.status == 404 and answer.body == NOBODY_ANSWERS)


# -- afterwards -------------------------------------------------------------------------------------------------------


async def aftermath(scene: Scene) -> list[str]:
    """What was done more than once, or is missing, when all stories have ended; in words."""
    return [*await _doubled_commits(scene), *_doubled_comments(scene), *await _doubled_jobs(scene), *_doubled_releases(scene)]


async def _doubled_commits(scene: Scene) -> list[str]:
    log = await scene.stage.host.log(REPOSITORY)
    found = Counter(commit.message.split()[1] for commit in log if commit.message.startswith("Restore "))
    return [f"{found[name]} commits restore {name}, not {count}" for name, count in RESTORES.items() if found[name] != count]


def _doubled_comments(scene: Scene) -> list[str]:
    host = scene.stage.host
    told = {pull.title: len(host.comments(REPOSITORY, pull.number)) for pull in host.pulls(REPOSITORY)}
    return [f"{count} comments on {title!r}" for title, count in told.items() if count > 1]


async def _doubled_jobs(scene: Scene) -> list[str]:
    """Each measurement that is a Job is one Job; a run that goes on has made its next Job a moment before it says so."""
    deadline = asyncio.get_running_loop().time() + SAID_LATER
    while found := await _uncounted_jobs(scene):
        if asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return []


async def _uncounted_jobs(scene: Scene) -> list[str]:
    jobs = await scene.stage.api.list(f"{JOBS.path}/namespaces/shop/{JOBS.plural}")
    made = Counter(job["metadata"]["ownerReferences"][0]["name"] for job in jobs)
    runs = {run["metadata"]["name"]: run for run in await scene.stage.api.list(f"{ANALYSIS_RUNS.path}/{ANALYSIS_RUNS.plural}")}
    measured = {name: sum(_job_measurements(run)) for name, run in runs.items()}
    return [f"{count} Jobs for {measured.get(name)} measurements of {name}" for name, count in made.items() if count != measured.get(name)]


def _job_measurements(run: Mapping[str, Any]) -> list[int]:
    results = (run.get("status") or {}).get("metricResults") or ()
    return [sum("job-name" in (m.get("metadata") or {}) for m in result.get("measurements") or ()) for result in results]


def _doubled_releases(scene: Scene) -> list[str]:
    """One Release for each commit that changed a workload."""
    specs = [release["spec"] for release in scene.stage.recorder.releases.values()]
    made = Counter((spec["workload"]["name"], (spec.get("commit") or {}).get("sha", "")) for spec in specs)
    return [f"{count} releases of {name} for commit {sha[:7]}" for (name, sha), count in made.items() if count > 1]
