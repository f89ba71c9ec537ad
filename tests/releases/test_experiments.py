"""What an Experiment of a Rollout measured is evidence of its release: followed by owners, of this attempt only."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.kernel.identity import Key, Manifest, ObjectRef, name_of, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS, ROLLOUTS
from reconciler.releases.comparison.observe import Sampling
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, ReleaseStatus, Verdict
from reconciler.releases.observe import Around, observe
from reconciler.releases.observe_history import history
from reconciler.releases.opening.served import earlier
from reconciler.releases.policies.policy import DEFAULT
from reconciler.releases.verdict.blame import blame
from reconciler.releases.verdict.judge import judge
from reconciler.releases.verdict.runs import EXPERIMENT, Run, configured, experiment_end, missing, step_of
from reconciler.rollouts.view import view_of
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, desk
from tests.kit.desk import rollout as written
from tests.kit.echoes import nobody
from tests.kit.releases import BAD, GOOD, NOW, aborted, facts, release, rollout, run

BEGAN = "2026-11-25T03:00:00Z"
HASH = "rollouts-pod-template-hash"


def experiment(phase: str = "Running", *, pod_hash: str = BAD, at: str = BEGAN, index: str = "1", **status: Any) -> Manifest:
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "rollout-uid", "controller": True}
    metadata = {
        "name": f"web-{pod_hash}-2-{index}",
        "namespace": "shop",
        "uid": f"uid of {pod_hash} {index}",
        "labels": {HASH: pod_hash},
        "annotations": {"rollout.argoproj.io/revision": "2"},
        "ownerReferences": [owner],
        "creationTimestamp": at,
    }
    runs = [{"name": "errors", "analysisRun": "errors-run", "phase": phase}]
    return {"kind": "Experiment", "metadata": metadata, "spec": {}, "status": {"phase": phase, "analysisRuns": runs, **status}}


def tried(phase: str = "Failed", of: Manifest | None = None, **known: Any) -> Run:
    """A run of an experiment, as one makes it: without a hash and a kind of its own."""
    made = run(phase, name="errors-run", **known)
    made["metadata"]["labels"] = {}
    return Run(made, EXPERIMENT, of or experiment(phase))


def trying(**status: Any) -> Manifest:
    """A Rollout with an experiment step that measures."""
    asked = {"templates": [{"name": "a", "specRef": "canary"}], "analyses": [{"name": "errors", "templateName": "t"}]}
    made = rollout(duration={"rolloutStartedAt": BEGAN}, **status)
    made["spec"]["strategy"]["canary"]["steps"] = [{"setWeight": 30}, {"experiment": asked}]
    return made


def begun(**known: Any) -> Release:
    return release(status=ReleaseStatus(pod_hash=BAD, phase="Progressing", **known))


# ---- whose run it is ----


def test_a_run_is_of_the_version_and_the_step_of_its_experiment() -> None:
    found = tried()
    assert (found.hash, found.step, found.analysis) == (BAD, 1, "errors")
    assert (found.record.kind, found.record.step, found.record.analysis, found.record.cut_short) == (EXPERIMENT, 1, "errors", False)


@pytest.mark.parametrize(("index", "step"), [("0", 0), ("12", 12), ("3-2", 3), ("x", None)])
def test_the_step_is_the_end_of_the_name_that_the_contract_gives(index: str, step: int | None) -> None:
    assert step_of(experiment(index=index)) == step


def test_an_account_of_runs_that_is_none_names_no_analysis() -> None:
    assert tried(of=experiment(analysisRuns=["x", None])).analysis == ""


def test_one_made_by_hand_is_of_no_step() -> None:
    assert step_of({"metadata": {"name": "trial"}}) is None


@pytest.mark.parametrize(("run_told", "experiment_told", "cut"), [(True, True, True), (True, False, False), (False, True, False)])
def test_a_run_that_ends_with_its_experiment_is_whole_unless_that_one_was_told_to_end(
    run_told: bool, experiment_told: bool, cut: bool
) -> None:
    found = tried("Successful", {**experiment(), "spec": {"terminate": experiment_told}})
    found.manifest["spec"]["terminate"] = run_told
    assert found.record.cut_short is cut


def test_runs_of_experiments_before_this_attempt_are_not_its_own() -> None:
    live = view_of(trying(canary={"currentExperiment": f"web-{BAD}-2-1"}, currentStepIndex=1))
    old = "2026-11-25T02:00:00Z"
    named, other, before = experiment(at=old), experiment(pod_hash=GOOD), experiment(at=old, index="0")
    runs = [tried(of=named, uid="named"), tried(of=other, uid="other"), tried(of=before, uid="before")]
    for each in runs:
        each.manifest["metadata"]["creationTimestamp"] = old
    assert earlier(runs, live, underway=True) == ("other", "before")
    assert earlier(runs, live, underway=False) == ("named", "other", "before")


# ---- what it means ----


def test_an_analysis_of_an_experiment_is_one_that_was_asked_for() -> None:
    [asked] = configured(trying())
    assert str(asked) == "the analysis errors of the experiment of step 2"
    assert missing([asked], [tried("Successful").record]) == ()
    assert missing([asked], [tried("Failed").record]) == missing([asked], []) == (asked,)
    assert missing([asked], [Run(run("Successful", step=1), "Step").record]) == (asked,)
    other = experiment()
    other["status"]["analysisRuns"][0]["name"] = "latency"
    assert missing([asked], [tried("Successful", other).record]) == (asked,)


def test_a_failed_analysis_of_an_experiment_is_a_failed_release() -> None:
    found = replaced(facts(rollout=trying(**aborted("whatever")), replica_sets=()), (tried("Failed"),))
    status = judge(begun(), DEFAULT, found, NOW)
    assert status.verdict is Verdict.FAILED and status.runs[0].kind == EXPERIMENT and status.evidence[0].failed == 2


def test_nothing_of_an_earlier_attempt_counts() -> None:
    one = tried("Failed", uid="old")
    known = begun()
    before = release(status=known.status, earlier_runs=("old",))
    found = replaced(facts(rollout=trying(**aborted("whatever")), replica_sets=()), (one,))
    assert judge(before, DEFAULT, found, NOW).verdict is not Verdict.FAILED


def replaced(found: Any, runs: tuple[Run, ...]) -> Any:
    return dataclasses.replace(found, runs=runs)


def test_a_promoted_version_whose_experiment_was_skipped_is_not_measured() -> None:
    done = trying(current=BAD, stable=BAD, phase="Healthy")
    status = judge(begun(), DEFAULT, facts(rollout=done), NOW)
    assert status.verdict is Verdict.NOT_ENOUGH_EVIDENCE and "the analysis errors of the experiment of step 2" in status.reason


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"phase": "Failed", "message": "Template 'a' exceeded"}, f"experiment web-{BAD}-2-1 ended as Failed: Template 'a' exceeded"),
        ({"phase": "Error"}, f"experiment web-{BAD}-2-1 ended as Error: without a word"),
        ({"phase": "Inconclusive"}, ""),
        ({"phase": "Failed", "pod_hash": GOOD}, ""),
        ({"phase": "Failed", "at": "2026-11-25T02:59:59Z"}, ""),
    ],
)
def test_an_experiment_whose_pods_did_not_come_could_not_measure(known: dict[str, Any], told: str) -> None:
    live = trying(**aborted("Rollout aborted update to revision 2: anything"))
    ended = experiment_end([experiment(**known)], view_of(live), BAD)
    assert ended == told
    verdict = blame(begun(), facts(rollout=live, experiment_end=ended)).verdict
    assert verdict is (Verdict.COULD_NOT_MEASURE if told else Verdict.ABORTED)


def test_only_an_abort_has_such_an_end() -> None:
    assert experiment_end([experiment("Failed")], view_of(trying()), BAD) == ""
    never = rollout(**aborted("x"))
    assert experiment_end([experiment("Failed")], view_of(never), BAD) == ""


# ---- how it is found ----


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        found.push({"web.yaml": written()})
        await found.proven()
        found.push({"web.yaml": written("registry.example.com/web:1.1")})
        await found.look()
        await found.say(phase="Progressing", currentPodHash="h2")
        await found.judge(2)
        yield found


async def made(shop: Desk, *, heard: bool = True) -> tuple[Manifest, Manifest]:
    """An Experiment of the Rollout and its run, in the API; in the cache too unless nothing was `heard` of them yet."""
    owner = await shop.found(ROLLOUTS, "web")
    reference = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": uid_of(owner), "controller": True}
    found = experiment("Failed", pod_hash="h2")
    metadata = {**found["metadata"], "ownerReferences": [reference]}
    body = {"apiVersion": "argoproj.io/v1alpha1", **found, "metadata": {k: v for k, v in metadata.items() if k != "uid"}}
    trial = await shop.api.client.create(EXPERIMENTS, body)
    parent = {**reference, "kind": "Experiment", "name": name_of(trial), "uid": uid_of(trial)}
    measured = run("Failed", name="errors-run")
    measured["metadata"] = {"name": "errors-run", "namespace": NAMESPACE, "ownerReferences": [parent]}
    answer = await shop.api.client.create(ANALYSIS_RUNS, {"apiVersion": "argoproj.io/v1alpha1", **measured})
    await shop._seen(EXPERIMENTS, trial)
    await shop._seen(ANALYSIS_RUNS, answer)
    if not heard:
        shop.cache.drop(EXPERIMENTS, NAMESPACE, name_of(trial))
        shop.cache.drop(ANALYSIS_RUNS, NAMESPACE, name_of(answer))
    return trial, answer


async def look(shop: Desk, known: Release | None = None) -> Any:
    newest = known or parse_release((await shop.releases())[-1])
    around = Around(history(shop.cache, NAMESPACE, "web"), {}, DEFAULT, shop.clock.now(), Sampling(shop.counters, nobody))
    return await observe(shop.api.client, shop.cache, newest, around)


async def test_runs_are_found_by_their_owners(shop: Desk) -> None:
    await made(shop)
    [found] = (await look(shop)).runs
    assert (found.kind, found.hash, found.name) == (EXPERIMENT, "h2", "errors-run")


async def test_after_an_abort_what_no_watch_has_told_of_yet_is_asked_for(shop: Desk) -> None:
    await made(shop, heard=False)
    assert (await look(shop)).runs == ()
    live = await shop.found(ROLLOUTS, "web")
    steps = {"spec": {"strategy": {"canary": {"steps": [{"experiment": {"templates": []}}]}}}}
    await shop._seen(ROLLOUTS, await shop.api.client.patch(ObjectRef(ROLLOUTS, NAMESPACE, name_of(live)), steps))
    await shop.say(**aborted("Rollout aborted"), currentPodHash="h2", duration={"rolloutStartedAt": "2020-01-01T00:00:00Z"})
    found = await look(shop)
    assert [each.name for each in found.runs] == ["errors-run"] and "ended as Failed" in found.experiment_end
    newest = parse_release((await shop.releases())[-1])
    decided = replace(newest, status=replace(newest.status, verdict=Verdict.ABORTED, decided_at=NOW))
    on_record = await look(shop, decided)
    assert on_record.runs == () and on_record.experiment_end == ""  # nothing more is asked for


async def test_what_others_own_is_not_evidence(shop: Desk) -> None:
    """An experiment of the same version that a person made, and a run that only bears the name that an experiment gives."""
    trial, answer = await made(shop)
    for resource, manifest in ((EXPERIMENTS, trial), (ANALYSIS_RUNS, answer)):
        await shop.api.client.delete(ObjectRef(resource, NAMESPACE, name_of(manifest)))
    orphan = {**trial, "metadata": {**trial["metadata"], "ownerReferences": [], "name": "by-hand"}}
    stray = {**answer, "metadata": {**answer["metadata"], "ownerReferences": []}}
    for resource, manifest in ((EXPERIMENTS, orphan), (EXPERIMENTS, trial), (ANALYSIS_RUNS, stray)):
        manifest["metadata"].pop("resourceVersion", None)
        await shop.api.client.create(resource, manifest)
    live = await shop.found(ROLLOUTS, "web")
    steps = {"spec": {"strategy": {"canary": {"steps": [{"experiment": {"templates": []}}]}}}}
    await shop._seen(ROLLOUTS, await shop.api.client.patch(ObjectRef(ROLLOUTS, NAMESPACE, name_of(live)), steps))
    await shop.say(**aborted("Rollout aborted"), currentPodHash="h2", duration={"rolloutStartedAt": "2020-01-01T00:00:00Z"})
    found = await look(shop)
    assert found.runs == () and f"experiment {name_of(trial)} ended" in found.experiment_end


async def test_a_release_that_opens_later_knows_that_they_were_there_before(shop: Desk) -> None:
    _, answer = await made(shop)
    shop.push({"web.yaml": written("registry.example.com/web:1.2")})
    await shop.look()
    newest = parse_release((await shop.releases())[-1])
    assert newest.spec.images != {} and uid_of(answer) in newest.spec.earlier_runs


async def test_news_of_an_experiment_and_of_its_runs_concern_the_release(shop: Desk) -> None:
    trial, answer = await made(shop)
    own = [Key("release", NAMESPACE, name_of((await shop.releases())[-1]))]
    assert list(shop.release.keys_for(EXPERIMENTS, trial)) == list(shop.release.keys_for(ANALYSIS_RUNS, answer)) == own
