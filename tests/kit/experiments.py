"""Builders for experiments and experiment steps, and a world in which one runs."""

from typing import Any

from reconciler.kernel.identity import Manifest, Resource, name_of
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS, SERVICES, VIRTUAL_SERVICES
from tests.kit.rollouts import NAMESPACE, analysis_template, canary, rollout, service, virtual_service
from tests.kit.store import merged
from tests.kit.world import World, deployed, with_templates

NAME = "trial"


def version(name: str = "canary", image: str = "web:2", *, port: int | None = None, **fields: Any) -> Manifest:
    """One template of an experiment; with a `port` its container has one."""
    container: Manifest = {"name": "web", "image": image, "resources": {}}
    if port is not None:
        container["ports"] = [{"containerPort": port}]
    labels = {"app": "trial", "version": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"name": name, "selector": {"matchLabels": labels}, "template": template, **fields}


def experiment(*templates: Manifest, name: str = NAME, **spec: Any) -> Manifest:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Experiment",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}"},
        "spec": {"templates": list(templates) or [version()], **spec},
    }


def measured(name: str = "check", template: str = "success-rate", **fields: Any) -> Manifest:
    """An analysis of an experiment."""
    return {"name": name, "templateName": template, **fields}


class ExperimentWorld(World):
    """One experiment and everything around it."""

    def __init__(self, manifest: Manifest, *others: tuple[Resource, Manifest], instance: str = "") -> None:
        super().__init__(None, *with_templates(analysis_template()), *others, (EXPERIMENTS, manifest), instance=instance)
        self.trial = name_of(manifest)

    @property
    def status(self) -> Manifest:
        status: Manifest = self.experiment(self.trial).get("status") or {}
        return status

    @property
    def phase(self) -> str:
        return f"{self.status.get('phase', '')} {self.status.get('message', '')}".strip()

    def template(self, name: str = "canary") -> Manifest:
        return next((t for t in self.status.get("templateStatuses") or [] if t["name"] == name), {})

    def code(self, name: str = "canary") -> str:
        template = self.template(name)
        return f"{template.get('status', '')} {template.get('message', '')}".strip()

    def measurement(self, name: str = "check") -> Manifest:
        return next((run for run in self.status.get("analysisRuns") or [] if run["name"] == name), {})

    def amend(self, patch: Manifest, resource: Resource = EXPERIMENTS, name: str = "") -> "ExperimentWorld":
        """A person's merge patch."""
        found = self.store.get(resource, NAMESPACE, name or self.trial)
        self.store.put(resource, merged(found, patch))
        return self

    def end_run_of(self, analysis: str, phase: str, message: str = "") -> "ExperimentWorld":
        self.end_run(str(self.measurement(analysis)["analysisRun"]), phase, message)
        self.settle()
        return self

    @property
    def told(self) -> list[str]:
        return [f"{event['involvedObject']['kind']} {event['type']} {event['reason']}: {event['message']}" for event in self.store.events]

    @property
    def running(self) -> list[str]:
        """Runs that nobody told to end."""
        return [name_of(run) for run in self.store.list(ANALYSIS_RUNS, NAMESPACE) if not run["spec"].get("terminate")]


# ---- experiments as steps of a Rollout ----

ROUTED = (*((SERVICES, service(name)) for name in ("web-canary", "web-stable")), (VIRTUAL_SERVICES, virtual_service()))
WEIGHED = (
    {"name": "baseline", "specRef": "stable", "weight": 10},
    {"name": "canary", "specRef": "canary", "weight": 15},
)


def tried(*templates: Manifest, **fields: Any) -> Manifest:
    """An experiment step; without templates it runs both versions."""
    both = [{"name": "baseline", "specRef": "stable"}, {"name": "canary", "specRef": "canary"}]
    return {"experiment": {"templates": list(templates) or both, **fields}}


def checked(**fields: Any) -> Manifest:
    return {"name": "check", "templateName": "success-rate", **fields}


def plain(*steps: Manifest, **spec: Any) -> World:
    return deployed(rollout(replicas=4, canary=canary(*steps), **spec), *with_templates(analysis_template()))


def routed(*steps: Manifest, **spec: Any) -> World:
    routed_canary = canary(*steps, istio=True)
    manifest = rollout(canary=routed_canary, **spec)
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["ports"] = [{"containerPort": 8080}]
    return deployed(manifest, *ROUTED, *with_templates(analysis_template()))


def experiments(world: World) -> dict[str, Manifest]:
    return {name_of(found): found for found in world.store.list(EXPERIMENTS, NAMESPACE)}


def only(world: World) -> Manifest:
    [found] = experiments(world).values()
    return found


def ended(world: World, name: str) -> str:
    """How one stands, and whether it was told to end."""
    found = experiments(world)[name]
    return f"{found['status']['phase']}{' told' if found['spec'].get('terminate') else ''}"


def says(world: World, name: str, phase: str, message: str = "") -> World:
    """The experiment ends like this."""
    found = experiments(world)[name]
    world.store.put(EXPERIMENTS, merged(found, {"status": {"phase": phase, "message": message}}))
    return world.settle()


def current(world: World) -> str:
    return str((world.status.get("canary") or {}).get("currentExperiment", ""))


def shares(world: World) -> dict[str, int]:
    found = world.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
    assert found is not None
    return {d["destination"]["host"]: d.get("weight", 0) for d in found["spec"]["http"][0]["route"]}


def abort(world: World) -> World:
    return world.press(abort=True).settle()


def promote(world: World) -> World:
    return world.press(promoteFull=True).settle()


def skip(world: World) -> World:
    return world.press(currentStepIndex=1).settle()


def push_another(world: World) -> World:
    return world.push("web:3").settle()


def go_back(world: World) -> World:
    return world.push("web:1").settle()
