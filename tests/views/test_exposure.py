"""What a planned release lets users meet, by its steps."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.views.exposure import PlannedExposure, Volume, exposure_words, exposures

ROUTED = {"maxTrafficWeight": 1000, "nginx": {"stableIngress": "web"}}


def spec(*steps: Manifest, **canary: object) -> Manifest:
    selector = {"matchLabels": {"app": "web"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": selector, "template": template, "strategy": {"canary": {"steps": list(steps), **canary}}},
    }


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (({"pause": {"duration": 60}}, {"setWeight": 20}), []),
        (({"setWeight": 20}, {"pause": {"duration": "1m"}}), [PlannedExposure(step=2, weight=20, seconds=60, requests=120)]),
        (({"setWeight": 20}, {"pause": {}}), [PlannedExposure(step=2, weight=20, seconds=None, requests=120)]),
        (({"setWeight": 20}, {"analysis": {"templates": []}}), [PlannedExposure(step=2, weight=20, seconds=None, requests=120)]),
        (({"setWeight": 20}, {"setWeight": 0}, {"pause": {"duration": 9}}), []),
        (({"setWeight": 50}, {"setCanaryScale": {"replicas": 1}}), []),
    ],
)
def test_only_steps_that_wait_at_a_weight_let_users_meet_it(steps: tuple[Manifest, ...], told: list[PlannedExposure]) -> None:
    assert list(exposures(parse_rollout(spec(*steps)), 10.0)) == told


def test_a_weight_is_a_share_of_what_means_all_traffic() -> None:
    (found,) = exposures(parse_rollout(spec({"setWeight": 15}, {"pause": {}}, trafficRouting=ROUTED)), None)
    assert (found.weight, found.requests) == (1.5, None)


def test_what_is_not_known_is_said_and_not_counted() -> None:
    steps = exposures(parse_rollout(spec({"setWeight": 20}, {"pause": {"duration": 60}}, {"pause": {}})), 10.0)
    assert exposure_words(steps, Volume(per_second=10.0)) == (
        "users meet it in step 2 (20 % for 1m, about 120 requests); step 3 (20 % until that ends, about 120 requests a minute), "
        "at 10 requests a second now"
    )
    unknown = exposures(parse_rollout(spec({"setWeight": 20}, {"pause": {"duration": 60}})), None)
    assert exposure_words(unknown, Volume(why="x")) == ("users meet it in step 2 (20 % for 1m); how many requests that is, is not known: x")
    assert exposure_words((), Volume()) == ""
