"""What serves where no release says so, and which runs were there before."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.opening.served import all_available, earlier, found_of
from reconciler.releases.verdict.runs import Run, run_of
from reconciler.rollouts.view import view_of
from tests.kit.releases import BAD, GOOD, TEMPLATE, replica_set, rollout, run


def deployment(replicas: int | None = 2, available: int | None = 2, kind: str = "Deployment") -> Manifest:
    status = {} if available is None else {"status": {"availableReplicas": available}}
    return {"kind": kind, "metadata": {"name": "web"}, "spec": {"replicas": replicas, "template": TEMPLATE}, **status}


def available(pod_hash: str, count: int | None = 1) -> Manifest:
    return {**replica_set(pod_hash), "status": {} if count is None else {"availableReplicas": count}}


@pytest.mark.parametrize(
    ("replicas", "ready", "serves"), [(2, 2, True), (2, 3, True), (2, 1, False), (0, 0, False), (None, 2, False), (2, None, False)]
)
def test_a_deployment_serves_with_all_its_pods(replicas: int | None, ready: int | None, serves: bool) -> None:
    assert all_available(deployment(replicas, ready)) is serves
    found = found_of(None, deployment(replicas, ready), ())
    assert (found is not None) is serves
    assert found is None or (found.template, found.pod_hash, found.images) == (TEMPLATE, "", {"web": "web:1.1"})


def test_nothing_but_a_deployment_serves_without_a_rollout() -> None:
    assert found_of(None, None, ()) is None
    assert found_of(None, deployment(kind="StatefulSet"), ()) is None
    bare = deployment()
    del bare["spec"]["template"]
    assert found_of(None, bare, ()) is None


@pytest.mark.parametrize("labels", [{"app": "web", "rollouts-pod-template-hash": BAD}, {"app": "web"}])
def test_a_healthy_rollout_serves_its_template_without_the_mark_of_the_pods(labels: dict[str, str]) -> None:
    live = rollout(stable=BAD, phase="Healthy")
    live["spec"]["template"] = {**TEMPLATE, "metadata": {"labels": labels}}
    found = found_of(view_of(live), live, ())
    assert found is not None and (found.pod_hash, found.template["metadata"]) == (BAD, {"labels": {"app": "web"}})


@pytest.mark.parametrize(
    ("known", "sets", "serves"),
    [
        ({"stable": GOOD}, (available(BAD), available(GOOD)), True),
        ({"stable": GOOD}, (available(GOOD, 0),), False),
        ({"stable": GOOD}, (available(GOOD, None),), False),
        ({"stable": GOOD}, (available(BAD),), False),
        ({"stable": GOOD}, (replica_set(GOOD),), False),
        ({"stable": ""}, (available(""),), False),
        ({"stable": ""}, ({**available(GOOD), "metadata": {"name": "x"}},), False),
        ({"stable": BAD, "phase": "Degraded"}, (available(BAD),), True),
        ({"stable": GOOD, "phase": "Healthy"}, (), False),
    ],
)
def test_of_a_rollout_on_its_way_the_stable_pods_serve_while_one_is_available(
    known: dict[str, Any], sets: tuple[Manifest, ...], serves: bool
) -> None:
    live = rollout(**known)
    found = found_of(view_of(live), live, sets)
    assert (found.pod_hash if found is not None else None) == (known["stable"] if serves else None)


def test_all_runs_were_there_before_a_release_of_a_version_that_is_not_under_way() -> None:
    runs = [run_of(run("Failed", uid="a")), run_of(run("Failed", uid="b", pod_hash=GOOD))]
    assert earlier(runs, view_of(rollout()), underway=False) == earlier(runs, None, underway=True) == ("a", "b")


def test_runs_of_the_version_under_way_are_its_own_if_the_status_names_them_or_they_began_with_it() -> None:
    def made(uid: str, at: str | None, pod_hash: str = BAD) -> Run:
        found = run("Failed", uid=uid, name=uid, pod_hash=pod_hash)
        found["metadata"] |= {"creationTimestamp": at} if at else {}
        return run_of(found)

    began = "2026-11-25T03:00:00Z"
    runs = [
        made("before", "2026-11-25T02:59:59Z"),
        made("with", began),
        made("named", "2026-11-25T02:00:00Z"),
        made("other", began, GOOD),
        made("undated", None),
    ]
    named = {"canary": {"currentStepAnalysisRunStatus": {"name": "named", "status": "Running"}}}
    live = view_of(rollout(currentStepIndex=0, **named))
    assert live.named_runs and "named" not in earlier(runs, live, underway=True)
    assert earlier(runs, live, underway=True) == tuple(uid for uid in ("before", "with", "other", "undated"))
