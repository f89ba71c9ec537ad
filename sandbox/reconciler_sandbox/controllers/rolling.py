"""The arithmetic of a Deployment's rolling update: pure numbers over ReplicaSets, oldest first."""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler_sandbox.controllers.objects import Manifest, annotations_of, is_deleting, name_of

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many pods a Deployment wants, and by how many it may exceed or miss that."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def maximum(self) -> int:
        """The most pods allowed at once."""
        return self.replicas + self.surge

    @property
    def minimum(self) -> int:
        """The fewest available pods allowed."""
        return self.replicas - min(self.unavailable, self.replicas)


def bounds_of(deployment: Manifest) -> Bounds:
    """The bounds of a Deployment; Recreate has neither surge nor slack. Surge rounds up, slack down, never both zero."""
    replicas = deployment["spec"].get("replicas", 1)
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Bounds(replicas, 0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(replicas, surge, unavailable)


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """An absolute number, or a percentage of `total`."""
    if isinstance(value, int):
        return value
    exact = int(value.removesuffix("%")) * total / 100
    return math.ceil(exact) if up else math.floor(exact)


def asked(replica_set: Manifest) -> int:
    """The replicas a ReplicaSet asks for."""
    return int(replica_set["spec"].get("replicas", 1))


def counted(replica_sets: Iterable[Manifest], counter: str) -> int:
    """A status counter summed over ReplicaSets."""
    return sum((replica_set.get("status") or {}).get(counter, 0) for replica_set in replica_sets)


def total(replica_sets: Iterable[Manifest]) -> int:
    """The replicas all of them ask for together."""
    return sum(asked(replica_set) for replica_set in replica_sets)


def revision_of(manifest: Manifest) -> int:
    """The revision annotation, 0 when absent or unreadable."""
    text = annotations_of(manifest).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def template_hash(template: Manifest, collisions: int) -> str:
    """A stable name for a pod template; collisions change it."""
    text = json.dumps([significant(template), collisions], sort_keys=True)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
    digits = []
    for _ in range(10):
        number, digit = divmod(number, len(SAFE_ALPHABET))
        digits.append(SAFE_ALPHABET[digit])
    return "".join(digits)


def significant(value: object) -> object:
    """A manifest without what carries no meaning: nulls, empty maps and lists, and the template hash label."""
    if isinstance(value, dict):
        inner = {key: significant(item) for key, item in value.items() if key != HASH_LABEL}
        return {key: item for key, item in inner.items() if item not in (None, {}, [])}
    if isinstance(value, list):
        return [significant(item) for item in value]
    return value


def matching(template: Manifest, replica_sets: Sequence[Manifest]) -> Manifest | None:
    """The oldest ReplicaSet with this pod template."""
    wanted = significant(template)
    return next((r for r in replica_sets if significant(r["spec"]["template"]) == wanted), None)


def grown(bounds: Bounds, newest: Manifest, everyone: Sequence[Manifest]) -> int:
    """How far the newest ReplicaSet may scale now: within the surge, and never beyond the wanted replicas."""
    if asked(newest) >= bounds.replicas:
        return bounds.replicas
    room = bounds.maximum - total(everyone)
    return asked(newest) + max(0, min(room, bounds.replicas - asked(newest)))


def shrunk(bounds: Bounds, newest: Manifest, old: Sequence[Manifest]) -> dict[str, int]:
    """New sizes of old ReplicaSets by name: first the pods that do not work, then as many others as availability allows."""
    everyone = [*old, newest]
    pending = asked(newest) - counted([newest], "availableReplicas")
    budget = total(everyone) - bounds.minimum - pending
    if budget <= 0 or total(old) == 0:
        return {}
    sizes = {name_of(r): asked(r) for r in old}
    budget = _remove_broken(old, sizes, budget)
    # Both limits hold: a status may still count pods that an earlier pass already took away.
    spare = min(budget, counted(everyone, "availableReplicas") - bounds.minimum)
    for replica_set in old:
        cut = max(0, min(sizes[name_of(replica_set)], spare))
        sizes[name_of(replica_set)] -= cut
        spare -= cut
    return {name_of(r): sizes[name_of(r)] for r in old if sizes[name_of(r)] != asked(r)}


def _remove_broken(old: Sequence[Manifest], sizes: dict[str, int], budget: int) -> int:
    for replica_set in old:
        broken = asked(replica_set) - counted([replica_set], "availableReplicas")
        cut = max(0, min(budget, broken))
        sizes[name_of(replica_set)] -= cut
        budget -= cut
    return budget


def proportional(bounds: Bounds, active: Sequence[Manifest], known: int) -> dict[str, int]:
    """New sizes by name when a Deployment is resized in the middle of a rollout: each side keeps its share.

    `known` is the Deployment's replicas for ReplicaSets that do not say for which maximum they were sized.
    """
    allowed = bounds.maximum if bounds.replicas > 0 else 0
    rest = allowed - total(active)
    sizes: dict[str, int] = {}
    for replica_set in sorted(active, key=asked, reverse=True):
        share = _share(bounds, replica_set, known)
        change = min(share, rest) if rest > 0 else max(share, rest)
        sizes[name_of(replica_set)] = max(0, asked(replica_set) + (change if rest else 0))
        rest -= change if rest else 0
    largest = next(iter(sizes), None)
    if largest is not None:
        sizes[largest] = max(0, sizes[largest] + rest)
    return sizes


def _share(bounds: Bounds, replica_set: Manifest, known: int) -> int:
    if bounds.replicas == 0:
        return -asked(replica_set)
    before = int(annotations_of(replica_set).get(MAXIMUM, "0")) or known
    if before == 0:
        return 0
    return math.floor(asked(replica_set) * bounds.maximum / before + 0.5) - asked(replica_set)


def removable(old: Sequence[Manifest], limit: int) -> list[Manifest]:
    """The old ReplicaSets beyond the history limit that are empty and settled, lowest revision first."""
    idle = sorted((r for r in old if not is_deleting(r)), key=revision_of)
    surplus = idle[: max(0, len(idle) - limit)]
    return [r for r in surplus if asked(r) == 0 and counted([r], "replicas") == 0 and is_observed(r)]


def is_observed(manifest: Manifest) -> bool:
    """Whether the status speaks of the current specification."""
    observed = (manifest.get("status") or {}).get("observedGeneration", 0)
    return bool(observed >= manifest["metadata"].get("generation", 0))
