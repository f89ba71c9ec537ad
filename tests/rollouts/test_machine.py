"""People, autoscalers, broken pods and a dying controller, in any order (ADR 0023): no step of it takes users where nobody serves.

The world is pure: an API in memory, a clock that jumps. What must hold is asked after every single pass; in the end everybody is kind,
and the wanted version serves alone.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from reconciler.kernel.errors import Transient
from reconciler.kernel.resources import REPLICA_SETS, SERVICES
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.pods.replica_set import ReplicaSet
from reconciler.rollouts.replicas.surge import bounds
from tests.kit.adoption import misread
from tests.kit.edges import MEASURED, two_services
from tests.kit.experiments import ROUTED
from tests.kit.rollouts import NAMESPACE, analysis, canary, measured, pause, rollout, weight
from tests.kit.world import World, image_of

IMAGES = tuple(f"web:{number}" for number in range(1, 5))
STEPS = (weight(25), pause(), weight(60), measured(), weight(80), pause("30s"))
PATIENCE = 30


def basic(**fields: Any) -> World:
    return World(rollout(canary=canary(*STEPS, **fields)), MEASURED)


def behind_istio(**fields: Any) -> World:
    return World(rollout(canary=canary(*STEPS, istio=True, **fields)), *ROUTED, MEASURED)


def blue_green(**fields: Any) -> World:
    return World(rollout(blue_green={"activeService": "active", "previewService": "preview", **fields}), *two_services())


WORLDS: dict[str, Callable[[], World]] = {
    "pods": basic,
    "pods, no surge": lambda: basic(maxSurge=0, maxUnavailable=1),
    "istio": behind_istio,
    "istio, dynamic": lambda: behind_istio(dynamicStableScale=True),
    "istio, kept": lambda: behind_istio(abortScaleDownDelaySeconds=0),
    "blue/green": lambda: blue_green(autoPromotionEnabled=False),
    "blue/green, measured": lambda: blue_green(prePromotionAnalysis=analysis(), postPromotionAnalysis=analysis()),
    "blue/green, small": lambda: blue_green(previewReplicaCount=1, autoPromotionSeconds=20),
}


class Release(RuleBasedStateMachine):
    """One rollout and everybody around it."""

    kind = ""

    @initialize()
    def begin(self) -> None:
        self.world = WORLDS[self.kind]()
        self.dying = 0
        self.world.store.before_write = self._maybe_die
        self._passes(12)

    # ---- people ----

    @rule(image=st.sampled_from(IMAGES))
    def push(self, image: str) -> None:
        self.world.push(image)
        self._passes(2)

    @rule(replicas=st.integers(0, 6))
    def scale(self, replicas: int) -> None:
        self.world.edit({"spec": {"replicas": replicas}})
        self._passes(3)

    @rule(status=st.sampled_from([{"abort": True}, {"abort": False}, {"promoteFull": True}, {"pauseConditions": None}]))
    def press(self, status: dict[str, Any]) -> None:
        self.world.press(**status)
        self._passes(3)

    @precondition(lambda self: self.world.status.get("currentStepIndex") is not None)
    @rule()
    def skip(self) -> None:
        index = min(self.world.status["currentStepIndex"] + 1, len(STEPS))
        self.world.press(pauseConditions=None, currentStepIndex=index)
        self._passes(3)

    @rule(paused=st.booleans())
    def hold(self, paused: bool) -> None:
        self.world.edit({"spec": {"paused": paused}})
        self._passes(2)

    @rule(images=st.lists(st.sampled_from(IMAGES), max_size=1))
    def remove_by_hand(self, images: list[str]) -> None:
        for found in [r for r in self.world.replica_sets if image_of(r.manifest) in images]:
            self.world.store.remove(REPLICA_SETS, NAMESPACE, found.name)
        self._passes(2)

    # ---- the cluster ----

    @rule(image=st.sampled_from(IMAGES), ready=st.booleans())
    def turn(self, image: str, ready: bool) -> None:
        self.world.breaks(image, ready=ready)
        self._passes(1)

    @rule(image=st.sampled_from(IMAGES), most=st.integers(0, 3))
    def starve(self, image: str, most: int) -> None:
        self.world.limits[image] = most
        self._passes(1)

    @rule()
    def feed(self) -> None:
        self.world.limits.clear()
        self._passes(1)

    @rule(phase=st.sampled_from(["Running", "Successful", "Failed", "Inconclusive", "Error"]))
    def measure(self, phase: str) -> None:
        for name, run in self.world.runs.items():
            if (run.get("status") or {}).get("phase") in (None, "Running"):
                self.world.end_run(name, phase)
        self._passes(2)

    @rule(seconds=st.sampled_from([1, 31, 700]))
    def time(self, seconds: int) -> None:
        self.world.clock.time += timedelta(seconds=seconds)
        self._passes(2)

    @rule(write=st.integers(1, 4))
    def die(self, write: int) -> None:
        """The controller dies before one of its next writes, and another one goes on."""
        self.dying = write
        self._passes(2)
        self.dying = 0

    @rule(count=st.integers(1, 8))
    def look(self, count: int) -> None:
        self._passes(count)

    # ---- in the end ----

    def teardown(self) -> None:
        """Left alone by everybody but the kind, it comes to rest with the wanted version alone, and the reference could read it."""
        if not hasattr(self, "world"):
            return
        world, self.dying = self.world, 0
        world.limits.clear()
        for image in tuple(world.broken):
            world.breaks(image, ready=True)
        world.edit({"spec": {"paused": False}}).press(abort=False)
        for _ in range(PATIENCE):
            self._passes(4)
            if self._rests():
                break
            self.measure("Successful")
            if world.status.get("pauseConditions"):
                world.press(pauseConditions=None)
            world.clock.time += timedelta(seconds=40)
        for _ in range(3):  # an older version is given its deadline, and reaches it
            world.clock.time += timedelta(seconds=60)
            self._passes(4)
        wanted = image_of(world.rollout)
        assert world.phase == "Healthy", world.phase
        assert {image_of(r.manifest) for r in world.replica_sets if r.spec} <= {wanted}
        assert world.size(wanted) == world.rollout["spec"]["replicas"] and misread(world) == []
        mark = len(world.store.writes)
        world.one_pass()
        assert world.since(mark) == [], "a rollout at rest is not written"

    def _rests(self) -> bool:
        wanted, status = image_of(self.world.rollout), self.world.status
        there = self.world.size(wanted) == self.world.rollout["spec"]["replicas"]
        return there and self.world.phase == "Healthy" and status["stableRS"] == status["currentPodHash"]

    # ---- every single pass ----

    def _maybe_die(self, write: str) -> None:
        if self.dying:
            self.dying -= 1
            if not self.dying:
                raise Transient(f"killed before {write}")

    def _passes(self, count: int) -> None:
        for _ in range(count):
            self.world.kubelet()
            before = Look(self.world)
            self.world.one_pass()
            judge(self.kind, before, Look(self.world))


class Look:
    """What a pass found, or left: sizes, available pods and who is sent where."""

    def __init__(self, world: World) -> None:
        self.replicas: int = world.rollout["spec"]["replicas"]
        self.status = world.status
        self.sets = {r.hash: r for r in world.replica_sets}
        self.weight = world.weight
        self.selected = {s["metadata"]["name"]: s["spec"]["selector"].get(HASH_LABEL, "") for s in world.store.list(SERVICES, NAMESPACE)}
        self.strategy = world.rollout["spec"]["strategy"]

    def there(self, hash: str) -> int:
        return self.sets[hash].available if hash in self.sets else 0

    def total(self) -> int:
        return sum(r.spec for r in self.sets.values())


def judge(kind: str, before: Look, after: Look) -> None:
    """What no pass may do. What is available was counted before it."""
    if kind.startswith("istio"):
        _no_share_without_pods(before, after)
    elif kind.startswith("blue"):
        _no_switch_without_pods(before, after)
    else:
        _no_pods_taken_beyond_the_limits(before, after)
    index, steps = after.status.get("currentStepIndex"), after.strategy.get("canary", {}).get("steps") or ()
    assert index is None or 0 <= index <= len(steps)
    assert not (after.status.get("abort") and after.status.get("promoteFull"))
    assert bool(after.status.get("abort")) == ("abortedAt" in after.status) or before.status == after.status


def _no_share_without_pods(before: Look, after: Look) -> None:
    """The capacity invariant: a share that a write raised is carried by pods that are available."""
    canary_, stable = after.selected["web-canary"], after.selected["web-stable"]
    full = before.status.get("promoteFull") and after.strategy["canary"].get("dynamicStableScale")
    if after.weight > before.weight:
        wanted = after.weight * after.replicas // 100 if full else -(-after.weight * after.replicas // 100)
        assert before.there(canary_) >= min(wanted, after.replicas), f"weight {before.weight} -> {after.weight} without pods"
    if after.weight < before.weight:
        assert before.there(stable) >= (100 - after.weight) * after.replicas // 100, f"home {before.weight} -> {after.weight} without pods"


def _no_switch_without_pods(before: Look, after: Look) -> None:
    """Users are moved to a version only when all of its pods are available, or home to one that has some."""
    moved = after.selected["active"]
    if moved != before.selected["active"]:
        assert before.there(moved) >= after.replicas, "users were moved to a version that is not whole"


def _no_pods_taken_beyond_the_limits(before: Look, after: Look) -> None:
    """Our own scaling leaves as many available pods as the limits ask for, and starts no more than they allow."""
    strategy = after.strategy["canary"]
    surge, unavailable = bounds(strategy.get("maxSurge", "25%"), strategy.get("maxUnavailable", "25%"), after.replicas)
    kept = sum(min(r.spec, _available(before, r)) for r in after.sets.values())
    had = sum(r.available for r in before.sets.values() if r.hash in after.sets)
    assert kept >= min(had, after.replicas - unavailable), "too many available pods were taken"
    assert after.total() <= max(before.total(), after.replicas + surge), "too many pods were started"


def _available(before: Look, replica_set: ReplicaSet) -> int:
    return before.there(replica_set.hash)


@pytest.mark.parametrize("kind", WORLDS)
def test_no_order_of_events_takes_users_where_nobody_serves(kind: str) -> None:
    machine = type(f"Release of {kind}", (Release,), {"kind": kind})
    run_state_machine_as_test(machine, settings=settings(max_examples=5, stateful_step_count=15))
