"""A pod template that typed clients cannot read is refused by the name of its field, whatever is wrong and wherever."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from reconciler.rollouts.validation.types import selector_problem, template_problem
from tests.kit.rollouts import canary, rollout
from tests.kit.world import World, deployed

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "command": ["run"],
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1"}}}],
                "resources": {"limits": {"memory": "1Gi", "cpu": 1}, "requests": {"cpu": 0.5}},
                "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 3},
                "readinessProbe": {"grpc": {"port": 1}},
                "lifecycle": {"postStart": {"sleep": {"seconds": 1}}},
                "securityContext": {"capabilities": {"add": ["NET"]}, "privileged": True},
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}, {"name": "e", "ephemeral": {}}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
                }
            },
            "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "k"}]},
        },
        "securityContext": {"fsGroup": 1, "supplementalGroups": [1]},
        "hostNetwork": False,
        "nodeSelector": {"a": "b"},
        "overhead": {"cpu": "1m"},
    },
}
SAME = ((str,), (bool,), (int, float), (list,), (dict,))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def at(path: tuple[Any, ...], value: Any) -> Any:
    template = deepcopy(TEMPLATE)
    place: Any = template
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return template


def kind(value: Any) -> int:
    return next(index for index, types in enumerate(SAME) if type(value) in types)


def found_at(path: tuple[Any, ...]) -> Any:
    place: Any = TEMPLATE
    for key in path:
        place = place[key]
    return place


def test_a_readable_template_has_no_problem() -> None:
    assert template_problem(TEMPLATE) is None


def test_every_field_of_another_type_is_named() -> None:
    loose = {"divisor", "sizeLimit", "memory", "cpu", "port"}
    for path in places(TEMPLATE):
        for wrong in ("x y", True, 7, [], {}):
            if not path or kind(wrong) == kind(found_at(path)) or (path[-1] in loose and kind(wrong) in (0, 2)):
                continue
            problem = template_problem(at(path, wrong))
            assert problem is not None and problem.field.startswith("spec.template"), (path, wrong)


@pytest.mark.parametrize("amount", ["invalid", "", "1 Gi", "1GiB", "1.2.3", True, [], {}])
def test_what_is_no_quantity_is_refused_with_kubernetes_words(amount: object) -> None:
    problem = template_problem(at(("spec", "containers", 0, "resources", "limits", "memory"), amount))
    assert problem is not None and problem.field == "spec.template.spec.containers[0].resources.limits.memory"
    assert "quantities must match the regular expression" in problem.detail


@pytest.mark.parametrize("amount", ["1", "0.5", ".5", "1e3", "1E3", "1Ei", "100m", "+1", "-1", 1, 0.001, "5."])
def test_every_spelling_of_a_quantity_is_accepted(amount: object) -> None:
    assert template_problem(at(("spec", "containers", 0, "resources", "limits", "memory"), amount)) is None


def test_null_is_absent_and_unknown_fields_are_the_apis_business() -> None:
    assert template_problem(at(("spec", "hostNetwork"), None)) is None
    assert template_problem(at(("spec", "novelty"), object())) is None
    assert template_problem(at(("spec", "containers"), [None])) is not None


@pytest.mark.parametrize(
    ("selector", "field"),
    [
        ({"matchLabels": {"a": 1}}, "spec.selector.matchLabels.a"),
        ({"matchExpressions": ["x"]}, "spec.selector.matchExpressions[0]"),
        ({"matchExpressions": [{"key": "a", "operator": "Near"}]}, "spec.selector.matchExpressions[0].operator"),
        ({"matchExpressions": [{"operator": "Exists"}]}, "spec.selector.matchExpressions[0].key"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]}, "spec.selector.matchExpressions[0].values"),
    ],
)
def test_a_selector_that_cannot_be_read_is_named(selector: dict[str, Any], field: str) -> None:
    problem = selector_problem(selector)
    assert problem is not None and problem.field == field


def test_a_selector_of_every_operator_is_read() -> None:
    words = [{"key": "a", "operator": operator, "values": ["b"]} for operator in ("In", "NotIn", "Exists", "DoesNotExist")]
    assert selector_problem({"matchLabels": {"a": "b"}, "matchExpressions": words}) is None


def test_an_unreadable_template_is_the_objects_own_problem_and_rests() -> None:
    world = deployed(rollout(canary=canary()))
    container = {"name": "web", "image": "web:2", "resources": {"limits": {"memory": "invalid"}}}
    world.edit({"spec": {"template": {"spec": {"containers": [container]}}}}).one_pass()
    assert world.phase.startswith('Degraded InvalidSpec: The Rollout "web" is invalid: spec.template.spec.containers[0].resources')
    assert world.status["observedGeneration"] == str(world.rollout["metadata"]["generation"])
    writes = len(world.store.writes)
    world.one_pass()
    assert len(world.store.writes) == writes and world.wake_at is None


@pytest.mark.parametrize("value", ["x", 7, True, ["x"]])
@pytest.mark.parametrize("field", ["antiAffinity", "trafficRouting", "analysis", "steps", "canaryMetadata"])
def test_a_strategy_of_another_type_is_refused_and_never_a_traceback(field: str, value: object) -> None:
    world = World(rollout(canary=canary(**{field: value})))
    world.one_pass()
    assert f"spec.strategy.canary.{field}" in world.phase
