"""What the kinds that make pods insist on."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver import workloadrules
from reconciler_sandbox.apiserver.defaults import fill
from reconciler_sandbox.apiserver.kinds import BUILT_IN

from tests.real.kit.invalid import DEPLOYMENTS, with_pod, with_spec

Json = dict[str, Any]
DEPLOYMENT = next(kind for kind in BUILT_IN if kind.kind == "Deployment")
FILLED: Json = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}}


def fields(manifest: Json, old: Json | None = None) -> list[str]:
    return [cause.field for cause in workloadrules.deployment(manifest, old)]


@pytest.mark.parametrize(("given", "words"), DEPLOYMENTS)
def test_a_deployment_is_refused_by_field(given: Json, words: str) -> None:
    found = [str(cause) for cause in workloadrules.deployment(fill(DEPLOYMENT, with_spec(**given)), None)]
    assert any(text.startswith(f"spec.{words}") for text in found)


@pytest.mark.parametrize(
    ("rolling", "field"),
    [
        ({"maxSurge": 0, "maxUnavailable": 0}, "maxUnavailable"),
        ({"maxSurge": "0%", "maxUnavailable": 0}, "maxUnavailable"),
        ({"maxSurge": "x%", "maxUnavailable": 1}, "maxSurge"),
        ({"maxSurge": 1, "maxUnavailable": "120%"}, "maxUnavailable"),
        ({"maxSurge": 1, "maxUnavailable": -1}, "maxUnavailable"),
    ],
)
def test_a_rolling_update_gets_on(rolling: Json, field: str) -> None:
    assert fields(with_spec(strategy={"type": "RollingUpdate", "rollingUpdate": rolling})) == [f"spec.strategy.rollingUpdate.{field}"]
    assert fields(with_spec(**FILLED)) == []


def test_an_empty_selector_would_be_everybodys() -> None:
    assert fields(with_spec(selector={})) == ["spec.selector"]
    assert fields(with_spec(selector={"matchExpressions": [{"key": "app", "operator": "Odd"}]}))[:2] == [
        "spec.selector.matchExpressions[0].operator", "spec.selector"
    ]  # fmt: skip


def test_pods_of_a_deployment_are_always_started_again() -> None:
    assert fields(with_pod(restartPolicy="Never")) == ["spec.template.spec.restartPolicy"]
    assert fields(with_pod(activeDeadlineSeconds=5)) == ["spec.template.spec.activeDeadlineSeconds"]


def test_the_counts_of_a_status_fit_together() -> None:
    live = with_spec()
    told = {**live, "status": {"replicas": 2, "readyReplicas": 1, "availableReplicas": 2, "updatedReplicas": 3}}
    assert fields(told, live) == ["status.updatedReplicas", "status.availableReplicas"]
    assert fields({**live, "status": {"replicas": -1}}, live) == ["status.replicas", *(f"status.{name}" for name in workloadrules.COUNTERS)]
    assert fields(told, told) == []


def test_a_job_ends_and_selects_its_own_pods() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    job = {"spec": {"template": template, "selector": {"matchLabels": {"a": "b"}}, "backoffLimit": 1}}
    assert workloadrules.job(job, None) == []
    assert [cause.field for cause in workloadrules.job({"spec": {**job["spec"], "selector": {"matchLabels": {"a": "x"}}}}, job)] == [
        "spec.template.metadata.labels", "spec.selector"
    ]  # fmt: skip
    assert [cause.field for cause in workloadrules.job({"spec": {"backoffLimit": -1}}, None)] == [
        "spec.backoffLimit", "spec.template.spec.containers", "spec.template.spec.restartPolicy"
    ]  # fmt: skip


def test_a_cron_job_has_a_schedule() -> None:
    template = {"spec": {"containers": [{"name": "c", "image": "i"}]}}
    job = {"spec": {"concurrencyPolicy": "Odd", "jobTemplate": {"spec": {"template": template}}}}
    assert [cause.field for cause in workloadrules.cron_job(job, None)] == ["spec.schedule", "spec.concurrencyPolicy"]
