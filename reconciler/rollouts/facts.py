"""Everything one decision may look at: facts only, gathered before it (contract 4.1 step 0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.aws.balancers import Balancers
from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, name_of, uid_of
from reconciler.kernel.problem import Problem
from reconciler.kernel.well_known import REVISION
from reconciler.rollouts.plugin import CallKey, Reply
from reconciler.rollouts.pods.replica_set import ReplicaSet, oldest_first
from reconciler.rollouts.replicas.hash import steps_hash, template_hash
from reconciler.rollouts.replicas.template import find_new
from reconciler.rollouts.spec.model import RolloutSpec, Step
from reconciler.rollouts.status.model import RolloutStatus
from reconciler.rollouts.traffic.contest import Contest
from reconciler.rollouts.traffic.router import Left, Routed


@dataclass(frozen=True, slots=True)
class Targets:
    """Which pods of a Service its target groups do not know (contract 5.9); `problem` is why that is not known, or cannot be."""

    service: str
    missing: tuple[str, ...] = ()
    problem: str = ""

    @property
    def registered(self) -> bool:
        return not self.missing and not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was read from the cluster around one rollout.

    `replica_sets` are those the rollout owns; `namesake` is a foreign one that has the name of the next; `other_runs` are analysis runs
    of the namespace that are not the rollout's but may have a name it wants, and so are `other_experiments`; `pods` are read only for a
    restart or pod metadata;
    `routed_hashes` are the versions a router's own objects name (contract 10.7); `routes` is what each router is asked about,
    `left` what still holds something of the rollout that it names no more, `held` the routers' objects that a person suspended;
    `replies` is what plug-ins of steps answered in this pass.
    `balancers` is what load balancers say of the weights, None when they are not asked now; `verifying` that they are asked at all;
    `targets` what target groups know of the pods that users are sent to, None where nothing depends on it, and
    `asking_targets` that they are asked at all.
    `problem` stands in every way; `unmet` is what the rollout refers to and is not there: nothing goes forward, but home (ADR 0043).
    """

    replica_sets: tuple[Manifest, ...] = ()
    namesake: Manifest | None = None
    services: Mapping[str, Manifest] = field(default_factory=dict)
    runs: tuple[Manifest, ...] = ()
    other_runs: tuple[Manifest, ...] = ()
    experiments: tuple[Manifest, ...] = ()
    other_experiments: tuple[Manifest, ...] = ()
    templates: tuple[Manifest, ...] = ()
    pods: tuple[Manifest, ...] = ()
    referent: Manifest | None = None
    routed_hashes: frozenset[str] = frozenset()
    routes: tuple[Routed, ...] = ()
    left: tuple[Left, ...] = ()
    held: frozenset[ObjectRef] = frozenset()
    contests: Mapping[ObjectRef, Contest] = field(default_factory=dict)
    replies: Mapping[CallKey, Reply] = field(default_factory=dict)
    balancers: Balancers | None = None
    verifying: bool = False
    targets: Targets | None = None
    asking_targets: bool = False
    unmet: Problem | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFacts:
    """One rollout and its surroundings. `hash` and `step_hash` are computed; `new` is found by hash or by meaning (contract 10.2).

    `others` are all but the new and the stable ReplicaSet, oldest first; `moving` says that a new version stands beside a stable one.
    `index` is the persisted step index, 0 when none is written; `step` the one the canary stands on, None past the end or without steps.
    `weight` is what the steps ask for: all of it past the end, else the last setWeight up to the current step (contract 2.1 items 5 and 6).
    """

    rollout: Manifest
    spec: RolloutSpec
    status: RolloutStatus
    found: Findings
    hash: str
    step_hash: str
    replica_sets: tuple[ReplicaSet, ...]
    new: ReplicaSet | None
    stable: ReplicaSet | None
    others: tuple[ReplicaSet, ...]
    moving: bool
    index: int
    step: Step | None
    weight: int
    instance_id: str = ""

    @property
    def name(self) -> str:
        return name_of(self.rollout)

    @property
    def uid(self) -> str:
        return uid_of(self.rollout)

    @property
    def generation(self) -> str:
        return str(self.rollout["metadata"].get("generation", ""))

    @property
    def revision(self) -> int:
        """The Rollout's revision annotation, 0 before the first."""
        text = annotations_of(self.rollout).get(REVISION, "")
        return int(text) if text.isdigit() else 0

    @property
    def new_hash(self) -> str:
        """The label of the found ReplicaSet wins over the computed hash (contract 10.1)."""
        return self.new.hash if self.new else self.hash

    def with_hash(self, hash: str) -> ReplicaSet | None:
        return next((r for r in self.replica_sets if r.hash == hash), None) if hash else None


def gather(rollout: Manifest, spec: RolloutSpec, status: RolloutStatus, found: Findings, *, instance_id: str = "") -> RolloutFacts:
    """The facts with what follows from them: hashes, the new and the stable ReplicaSet."""
    hash = template_hash(spec.template, status.collisions)
    replica_sets = oldest_first(found.replica_sets)
    found_new = find_new(spec.template, [r.manifest for r in replica_sets], hash)
    new = ReplicaSet(found_new) if found_new else None
    stable = next((r for r in replica_sets if status.stable_hash and r.hash == status.stable_hash), None)
    index, steps = status.step_index or 0, spec.steps
    step = steps[index] if 0 <= index < len(steps) else None
    kept = {r.name for r in (new, stable) if r}
    return RolloutFacts(
        rollout=rollout,
        spec=spec,
        status=status,
        found=found,
        hash=hash,
        step_hash=step_hash_of(spec),
        replica_sets=replica_sets,
        new=new,
        stable=stable,
        others=tuple(r for r in replica_sets if r.name not in kept),
        moving=new is not None and stable is not None and new.name != stable.name,
        index=index,
        step=step,
        weight=spec.maximum if step is None else last_weight(steps[: index + 1]),
        instance_id=instance_id,
    )


def last_weight(steps: Sequence[Step]) -> int:
    """The last setWeight of these steps, 0 when there is none."""
    return next((step.set_weight for step in reversed(steps) if step.set_weight is not None), 0)


def step_hash_of(spec: RolloutSpec) -> str:
    """The hash of the canary's steps, empty for blue/green (contract 3.2, 10.3)."""
    if spec.canary is None:
        return ""
    return steps_hash(None if spec.canary.raw_steps is None else list(spec.canary.raw_steps))
