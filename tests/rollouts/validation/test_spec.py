"""The rules of a spec, in the words that clients match (contract 12.1, 12.2)."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import analysis, canary, rollout
from tests.kit.store import merged


def problem(manifest: Manifest) -> str:
    found = spec_problem(manifest, parse_rollout(manifest), ROUTERS)
    return str(found) if found else ""


GREEN = {"activeService": "a", "previewService": "p"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"selector": None}, "spec.selector: Required value: Rollout has missing field '.spec.selector'"),
        ({"selector": {"matchLabels": None}}, "empty selector is invalid for deployment"),
        ({"template": {"metadata": {"labels": {"app": "x"}}}}, "`selector` does not match template `labels`"),
        ({"template": {"spec": {"containers": []}}}, "spec.template.spec.containers: Required value"),
        ({"template": {"spec": {"containers": [{"name": "a"}]}}}, "spec.template.spec.containers[0].image: Required value"),
        ({"template": {"spec": {"containers": [{"name": "a", "image": "i"}] * 2}}}, 'containers[1].name: Duplicate value: "a"'),
        ({"template": {"spec": {"restartPolicy": "Never"}}}, "spec.template.spec.restartPolicy"),
        ({"minReadySeconds": 600}, "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"),
    ],
)
def test_a_broken_rule_names_its_field(change: dict[str, Any], expected: str) -> None:
    assert expected in problem(merged(rollout(canary=canary()), {"spec": change}))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"previewService": "a"}, "This rollout uses the same service for the active and preview services, but two different services"),
        (
            {"scaleDownDelayRevisionLimit": 11},
            "This rollout's revision history limit can not be smaller than the rollout's scale down limit",
        ),
        ({"antiAffinity": {}}, "AntiAffinity must have exactly one strategy listed"),
        (
            {"prePromotionAnalysis": analysis(args=[{"name": "n", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nothing"}}}])},
            "spec.strategy.blueGreen.prePromotionAnalysis.args[0].valueFrom.fieldRef.fieldPath",
        ),
    ],
)
def test_blue_green_has_rules_of_its_own(fields: dict[str, Any], expected: str) -> None:
    assert expected in problem(rollout(blue_green={**GREEN, **fields}))


def test_a_good_spec_has_no_problem() -> None:
    assert problem(rollout(canary=canary())) == problem(rollout(blue_green=GREEN)) == ""
