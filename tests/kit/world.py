"""A small world around one rollout: its controller, an API in memory, pods that become available, a clock that jumps."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.app.indexes import indexes
from reconciler.aws.balancers import BalancerReader
from reconciler.experiments.controller import ExperimentController
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, Resource, annotations_of, controller_uid, labels_of, name_of, uid_of
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    EXPERIMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    VIRTUAL_SERVICES,
)
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.kube.cache import Cache
from reconciler.kube.errors import Forbidden
from reconciler.rollouts.controller import RolloutController
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.plugin import StepPlugins
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.traffic.named import NO_SOURCES, Reaches
from reconciler.rollouts.traffic.router import Routers, kinds_of
from reconciler.routers.registry import ROUTERS
from reconciler.runtime.access import cluster_access
from reconciler.runtime.journal import Silence
from reconciler.runtime.recorder import Recorder
from tests.kit.rollouts import NAMESPACE
from tests.kit.stepplugins import NO_PLUGINS
from tests.kit.store import FakeClient, Store, merged, run_through

BEGIN = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)


class JumpingClock:
    """Stands still until `time` is moved; `wrong_by` is how far the wall clock is off."""

    def __init__(self) -> None:
        self.time, self.wrong_by = BEGIN, timedelta()

    def now(self) -> datetime:
        return self.time + self.wrong_by

    def monotonic(self) -> float:
        return (self.time - BEGIN).total_seconds()


class CountedCache(Cache):
    """A cache that counts the objects it hands out in lists: what a pass has to look at."""

    handed_out = 0

    def list(self, resource: Resource, namespace: str = "") -> Sequence[Manifest]:
        return self._counted(super().list(resource, namespace))

    def owned(self, resource: Resource, uid: str) -> Sequence[Manifest]:
        return self._counted(super().owned(resource, uid))

    def indexed(self, resource: Resource, word: str) -> Sequence[Manifest]:
        return self._counted(super().indexed(resource, word))

    def _counted(self, found: Sequence[Manifest]) -> Sequence[Manifest]:
        self.handed_out += len(found)
        return found


class World:
    """One rollout and everything around it. `settle` lets all that can happen now happen; `wait` lets time pass."""

    def __init__(  # noqa: PLR0913 - a builder: only what matters to a test is said
        self,
        rollout: Manifest | None,
        *others: tuple[Resource, Manifest],
        routers: Routers = ROUTERS,
        reach: Reaches = NO_SOURCES,
        instance: str = "",
        plugins: StepPlugins = NO_PLUGINS,
        balancers: BalancerReader | None = None,
    ) -> None:
        self.clock = JumpingClock()
        self.cache = CountedCache((*RolloutController.watches, *ExperimentController.watches, *kinds_of(routers)), indexes(routers))
        self.store = Store(self.cache, self.clock.now)
        self.client = FakeClient(self.store)
        self.name = name_of(rollout) if rollout is not None else ""
        self.recorder = Recorder(self.client, self.clock)  # type: ignore[arg-type]
        observer = RolloutObserver(self.client, self.cache, routers, ObserverTerms(reach, instance, balancers))  # type: ignore[arg-type]
        access = cluster_access(self.client, self.cache, self.clock, self.recorder, Silence())  # type: ignore[arg-type]
        self.controller = RolloutController(access, observer, plugins)
        self.experimenter = ExperimentController(access, instance)
        self.broken: set[str] = set()
        self.limits: dict[str, int] = {}
        """How many pods of an image become available at most; the others stay as they began."""
        self.sizes: list[tuple[int, int]] = []
        self.weights: list[int] = []
        self.statuses: list[Manifest] = []
        self.wake_at: datetime | None = None
        for resource, manifest in others:
            self.store.put(resource, manifest)
        if rollout is not None:
            self.store.put(ROLLOUTS, rollout)

    # ---- what is there ----

    @property
    def rollout(self) -> Manifest:
        found = self.store.get(ROLLOUTS, NAMESPACE, self.name)
        assert found is not None
        return found

    @property
    def status(self) -> Manifest:
        status: Manifest = self.rollout.get("status") or {}
        return status

    @property
    def phase(self) -> str:
        return f"{self.status.get('phase', '')} {self.status.get('message', '')}".strip()

    @property
    def replica_sets(self) -> list[ReplicaSet]:
        return [ReplicaSet(m) for m in self.store.list(REPLICA_SETS, NAMESPACE)]

    def replica_set(self, image: str) -> ReplicaSet:
        return next(r for r in self.replica_sets if image_of(r.manifest) == image)

    def size(self, image: str) -> int:
        return sum(r.spec for r in self.replica_sets if image_of(r.manifest) == image)

    @property
    def weight(self) -> int:
        """What the VirtualService gives the canary."""
        virtual = self.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
        primary = next(route for route in virtual["spec"]["http"] if route.get("name") == "primary") if virtual else {"route": []}
        return next((d.get("weight", 0) for d in primary["route"] if d["destination"]["host"] == "web-canary"), 0)

    @property
    def routes(self) -> list[str]:
        virtual = self.store.get(VIRTUAL_SERVICES, NAMESPACE, "web")
        return [route.get("name", "") for route in virtual["spec"]["http"]] if virtual else []

    def selected(self, service: str) -> str:
        """The image behind a Service, empty when it selects no version."""
        found = self.store.get(SERVICES, NAMESPACE, service)
        hash = (found or {}).get("spec", {}).get("selector", {}).get(HASH_LABEL, "")
        return next((image_of(r.manifest) for r in self.replica_sets if r.hash == hash), hash)

    @property
    def runs(self) -> dict[str, Manifest]:
        return {name_of(run): run for run in self.store.list(ANALYSIS_RUNS, NAMESPACE)}

    def experiment(self, name: str) -> Manifest:
        found = self.store.get(EXPERIMENTS, NAMESPACE, name)
        assert found is not None
        return found

    def condition(self, type: str) -> Manifest:
        return next((c for c in self.status.get("conditions") or [] if c["type"] == type), {})

    @property
    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.store.events]

    # ---- what people do ----

    def edit(self, patch: Manifest) -> "World":
        self.store.put(ROLLOUTS, merged(self.rollout, patch))
        return self

    def push(self, image: str) -> "World":
        """Another image, a second later: versions are told apart by the second they were created in."""
        self.clock.time += timedelta(seconds=1)
        spec = self.rollout["spec"]["template"]["spec"]
        return self.edit({"spec": {"template": {"spec": {"containers": [{**spec["containers"][0], "image": image}]}}}})

    def press(self, **status: Any) -> "World":
        """A verb that writes the status: `promoteFull=True`, `abort=True`, `pauseConditions=None`."""
        return self.edit({"status": status})

    def end_run(self, name: str, phase: str, message: str = "") -> "World":
        run = self.runs[name]
        self.store.put(ANALYSIS_RUNS, {**run, "status": {"phase": phase, "message": message}})
        return self

    # ---- what happens ----

    def one_pass(self) -> None:
        """One reconcile of the rollout and of every experiment; a pass that must be tried again is simply over here."""
        keys = [Key("rollout", NAMESPACE, self.name)] if self.name else []
        keys += [Key("experiment", NAMESPACE, name_of(found)) for found in self.store.list(EXPERIMENTS, NAMESPACE)]
        looks = [self._one_look(key) for key in keys]
        self.wake_at = min((look for look in looks if look is not None), default=None)
        if self.name:
            self._note()

    def _one_look(self, key: Key) -> datetime | None:
        controller = self.controller if key.controller == "rollout" else self.experimenter
        try:
            return run_through(controller.reconcile(key))
        except (Transient, Forbidden):
            return None
        finally:
            run_through(self.recorder.drain())

    def settle(self, passes: int = 120) -> "World":
        """Pods and passes until nothing changes any more."""
        for _ in range(passes):
            before = self._fingerprint()
            self.kubelet()
            self.one_pass()
            if self._fingerprint() == before:
                return self
        raise AssertionError(f"no rest after {passes} passes: {self.phase}, last writes {self.store.writes[-8:]}")

    def wait(self, seconds: float) -> "World":
        """Time passes; the controller looks whenever it asked to."""
        end = self.clock.time + timedelta(seconds=seconds)
        self.settle()
        while self.wake_at is not None and self.wake_at <= end:
            self.clock.time = max(self.clock.time, self.wake_at)
            self.settle()
        self.clock.time = end
        return self.settle()

    def kubelet(self) -> None:
        """The ReplicaSet controller and the nodes in one: pods come and go at once; broken images never become ready."""
        for replica_set in self.replica_sets:
            pods = [pod for pod in self.store.list(PODS, NAMESPACE) if controller_uid(pod) == replica_set.uid]
            for pod in pods[replica_set.spec :]:
                self.store.remove(PODS, NAMESPACE, name_of(pod))
            for _ in range(len(pods), replica_set.spec):
                self._start_pod(replica_set)
            self._count(replica_set)
        for deployment in self.store.list(DEPLOYMENTS, NAMESPACE):
            if deployment.get("status", {}).get("observedGeneration") != deployment["metadata"]["generation"]:
                self.store.put(DEPLOYMENTS, {**deployment, "status": {"observedGeneration": deployment["metadata"]["generation"]}})

    def _start_pod(self, replica_set: ReplicaSet) -> None:
        manifest = replica_set.manifest
        owner = {"kind": "ReplicaSet", "name": replica_set.name, "uid": uid_of(manifest), "controller": True}
        number = self.store._served
        ready = "False" if image_of(manifest) in self.broken else "True"
        template = manifest["spec"]["template"]
        metadata = {**template["metadata"], "name": f"{replica_set.name}-{number}", "namespace": NAMESPACE, "ownerReferences": [owner]}
        stamp = self.clock.time.strftime("%Y-%m-%dT%H:%M:%SZ")
        status = {"conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": stamp}]}
        self.store.put(PODS, {"metadata": metadata, "spec": template["spec"], "status": status})

    def _count(self, replica_set: ReplicaSet) -> None:
        pods = [pod for pod in self.store.list(PODS, NAMESPACE) if controller_uid(pod) == replica_set.uid]
        image = image_of(replica_set.manifest)
        ready = 0 if image in self.broken else min(len(pods), self.limits.get(image, len(pods)))
        generation = replica_set.manifest["metadata"]["generation"]
        status = {"replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": generation}
        if replica_set.manifest.get("status") != status:
            self.store.put(REPLICA_SETS, {**replica_set.manifest, "status": status})

    def breaks(self, image: str, *, ready: bool = False) -> "World":
        """Pods of this image stop (or, with `ready`, start) serving."""
        (self.broken.discard if ready else self.broken.add)(image)
        for pod in self.store.list(PODS, NAMESPACE):
            if pod["spec"]["containers"][0]["image"] == image:
                stamp = self.clock.time.strftime("%Y-%m-%dT%H:%M:%SZ")
                value = "True" if ready else "False"
                status = {"conditions": [{"type": "Ready", "status": value, "lastTransitionTime": stamp}]}
                self.store.put(PODS, {**pod, "status": status})
        return self

    def _note(self) -> None:
        """The trajectory: (stable, canary) sizes, the weight and the status, whenever they change."""
        if self.statuses[-1:] != [self.status]:
            self.statuses.append(self.status)
        stable = self.status.get("stableRS", "")
        sizes = (
            sum(r.spec for r in self.replica_sets if r.hash == stable),
            sum(r.spec for r in self.replica_sets if r.hash == self.status.get("currentPodHash") != stable),
        )
        if not self.sizes or self.sizes[-1] != sizes:
            self.sizes.append(sizes)
        if not self.weights or self.weights[-1] != self.weight:
            self.weights.append(self.weight)

    def _fingerprint(self) -> list[tuple[str, str]]:
        kept = [(uid_of(m), m["metadata"]["resourceVersion"]) for m in self.store.objects.values()]
        return sorted(kept)

    # ---- beginnings ----

    def since(self, mark: int) -> list[str]:
        return self.store.writes[mark:]


def image_of(replica_set: Manifest) -> str:
    return str(replica_set["spec"]["template"]["spec"]["containers"][0]["image"])


def deployed(
    rollout: Manifest,
    *others: tuple[Resource, Manifest],
    routers: Routers = ROUTERS,
    reach: Reaches = NO_SOURCES,
    balancers: BalancerReader | None = None,
) -> World:
    """A world whose rollout already runs its first version."""
    world = World(rollout, *others, routers=routers, reach=reach, balancers=balancers).settle()
    assert world.phase == "Healthy", world.phase
    world.sizes.clear()
    world.weights.clear()
    return world


def with_templates(*templates: Manifest) -> Sequence[tuple[Resource, Manifest]]:
    return [(ANALYSIS_TEMPLATES, manifest) for manifest in templates]


def with_services(*services: Manifest) -> Iterable[tuple[Resource, Manifest]]:
    return [(SERVICES, manifest) for manifest in services]


def revision_of(manifest: Manifest) -> str:
    return annotations_of(manifest).get("rollout.argoproj.io/revision", "")


def hash_of(manifest: Manifest) -> str:
    return labels_of(manifest).get(HASH_LABEL, "")
