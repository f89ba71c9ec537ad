"""Which experiments an event concerns."""

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import EXPERIMENTS, NAMESPACES, REPLICA_SETS, ROLLOUTS
from tests.kit.experiments import ExperimentWorld, experiment
from tests.kit.rollouts import NAMESPACE


def names(world: ExperimentWorld, resource: object, manifest: Manifest) -> list[tuple[str, str]]:
    return [(key.namespace, key.name) for key in world.experimenter.keys_for(resource, manifest)]  # type: ignore[arg-type]


def owned(kind: str, *, controller: bool = True) -> Manifest:
    owner = {"kind": kind, "name": "trial", "uid": "u", "controller": controller}
    return {"metadata": {"name": "x", "namespace": NAMESPACE, "ownerReferences": [owner]}}


def test_an_experiment_concerns_itself_and_is_concerned_by_what_it_made() -> None:
    world = ExperimentWorld(experiment())
    assert names(world, EXPERIMENTS, world.experiment("trial")) == [(NAMESPACE, "trial")]
    assert names(world, REPLICA_SETS, owned("Experiment")) == [(NAMESPACE, "trial")]
    assert names(world, REPLICA_SETS, owned("Rollout")) == names(world, REPLICA_SETS, owned("Experiment", controller=False)) == []


def test_a_namespace_concerns_all_of_its_experiments() -> None:
    world = ExperimentWorld(experiment())
    assert names(world, NAMESPACES, {"metadata": {"name": NAMESPACE}}) == [(NAMESPACE, "trial")]
    assert names(world, NAMESPACES, {"metadata": {"name": "other"}}) == []


def test_a_rollout_concerns_those_of_its_experiments_that_have_pods() -> None:
    manifest = experiment(scaleDownDelaySeconds=0)
    manifest["metadata"]["ownerReferences"] = [{"kind": "Rollout", "name": "web", "uid": "r", "controller": True}]
    world = ExperimentWorld(manifest)
    rollout = {"metadata": {"name": "web", "namespace": NAMESPACE, "uid": "r"}}
    world.settle()
    assert names(world, ROLLOUTS, rollout) == [(NAMESPACE, "trial")]
    assert names(world, ROLLOUTS, {"metadata": {**rollout["metadata"], "uid": "other"}}) == []
    world.amend({"spec": {"terminate": True}}).settle()
    assert names(world, ROLLOUTS, rollout) == []
