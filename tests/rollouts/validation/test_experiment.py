"""Experiment steps that cannot be carried out (contract 12.2)."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import SERVICES
from tests.kit.experiments import ROUTED, WEIGHED, checked, tried
from tests.kit.rollouts import canary, rollout, service, weight
from tests.kit.world import World


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (tried(duration="soon"), 'experiment.duration: Invalid value: "soon": must be seconds or a duration such as 5m'),
        (tried(duration=-5), "experiment.duration: Invalid value: -5: must be seconds or a duration such as 5m"),
        ({"experiment": {"templates": []}}, "experiment.templates: Required value: an experiment runs at least one template"),
        (tried({"name": "", "specRef": "stable"}), "experiment.templates[0].name: Required value:"),
        (tried(*[{"name": "a", "specRef": "stable"}] * 2), 'experiment.templates[1].name: Duplicate value: "a"'),
        (tried({"name": "a", "specRef": "old"}), 'experiment.templates[0].specRef: Invalid value: "old": must be canary or stable'),
        (tried({"name": "a", "specRef": "stable", "selector": {}}), 'experiment.templates[0].selector: Invalid value: "{}"'),
        (tried({"name": "a", "specRef": "stable", "replicas": -1}), "experiment.templates[0].replicas: Invalid value: -1"),
        (tried(analyses=[checked(), checked()]), 'experiment.analyses[1].name: Duplicate value: "check"'),
        (tried(analyses=[{"name": "a"}]), "experiment.analyses[0].templateName: Required value:"),
        (
            tried(analyses=[checked(args=[{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.x"}}}])]),
            'experiment.analyses[0].args[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.x"',
        ),
        (tried(scaleDownDelaySeconds="5"), 'experiment.scaleDownDelaySeconds: Invalid value: "5": must be a number of seconds'),
        (tried(WEIGHED[0]), "experiment.templates[0].weight: Invalid value: 10: Experiment template weight cannot be set unless"),
    ],
)
def test_a_step_that_cannot_be_carried_out_is_refused_by_the_name_of_its_field(step: Manifest, words: str) -> None:
    world = World(rollout(canary=canary(step))).settle()
    assert f"spec.strategy.steps[0].{words}" in world.phase


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (tried(analyses=[checked(requiredForCompletion="yes")]), 'experiment.analyses[0].requiredForCompletion: Invalid value: "yes"'),
        (tried(analysisRunMetadata={"labels": {"a": 1}}), "experiment.analysisRunMetadata.labels.a: Invalid value: 1"),
        (tried(dryRun="all"), 'experiment.dryRun: Invalid value: "all"'),
        (tried({"name": "a", "specRef": "stable", "metadata": {"labels": {"a": 1}}}), "experiment.templates[0].metadata.labels.a: Invalid"),
    ],
)
def test_what_an_experiment_would_take_over_and_not_understand_cannot_be_read(step: Manifest, words: str) -> None:
    assert f"spec.strategy.canary.steps[0].{words}" in World(rollout(canary=canary(step))).settle().phase


def test_a_share_needs_a_router_that_knows_experiments() -> None:
    routing = {"trafficRouting": {"traefik": {"weightedTraefikServiceName": "web"}}, "canaryService": "a", "stableService": "b"}
    services = [(SERVICES, service(name)) for name in ("a", "b")]
    world = World(rollout(canary=canary(tried(WEIGHED[0]), **routing)), *services).settle()
    assert "only available for TrafficRouting with SMI, ALB, and Istio" in world.phase


def test_shares_that_leave_the_canary_less_than_its_own_are_refused() -> None:
    heavy = {"name": "a", "specRef": "stable", "weight": 60}
    world = World(rollout(canary=canary(weight(50), tried(heavy), istio=True)), *ROUTED).settle()
    words = "spec.strategy.steps[1].experiment.templates: Invalid value: 60: together with the canary's weight 50 more than 100"
    assert words in world.phase
