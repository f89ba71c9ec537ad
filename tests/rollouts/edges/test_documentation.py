"""Where the reference's documentation says something else than its code does, the code holds (contract 14)."""

from reconciler.kernel.resources import ANALYSIS_TEMPLATES
from reconciler.rollouts.replicas.surge import bounds
from reconciler.rollouts.spec.manifest import parse_rollout
from tests.kit.edges import green, routed_release
from tests.kit.experiments import ExperimentWorld, experiment, measured, version
from tests.kit.rollouts import analysis_template, canary, rollout


def test_14_unavailable_is_a_quarter_where_nothing_is_said() -> None:
    spec = parse_rollout(rollout(canary=canary()))
    assert spec.canary is not None
    assert (spec.canary.max_surge, spec.canary.max_unavailable) == ("25%", "25%")
    assert bounds(spec.canary.max_surge, spec.canary.max_unavailable, 8) == (2, 2)


def test_14_the_deadline_of_an_old_version_has_no_prefix() -> None:
    for world_ in (green().push("web:2").settle(), routed_release().press(promoteFull=True).settle()):
        noted = world_.replica_set("web:1").manifest["metadata"]["annotations"]
        assert [key for key in noted if key.endswith("scale-down-deadline")] == ["scale-down-deadline"]


def test_14_a_value_from_elsewhere_is_dropped_by_an_experiment() -> None:
    given = {"name": "service", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    it = ExperimentWorld(experiment(version(), analyses=[measured("check", "argued", args=[given])]))
    template = analysis_template("argued")
    it.store.put(ANALYSIS_TEMPLATES, {**template, "spec": {**template["spec"], "args": [{"name": "service", "value": "of the template"}]}})
    it.settle()
    [run] = it.runs.values()
    assert run["spec"]["args"] == [{"name": "service", "value": "of the template"}]
