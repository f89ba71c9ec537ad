"""How fast an autoscaler may go: limits, policies and windows. Pure: what must be remembered is passed in and out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler_sandbox.controllers.objects import Manifest

LIMIT_FACTOR = 2
LIMIT_LEAST = 4
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Dated:
    """A number of replicas and when it was so."""

    replicas: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What an autoscaler remembers: its recent recommendations, and how many replicas it added and took away."""

    recommended: tuple[Dated, ...] = ()
    added: tuple[Dated, ...] = ()
    removed: tuple[Dated, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where replicas are now and where they may go; `behavior` is empty if none is specified."""

    current: int
    least: int
    most: int
    behavior: Manifest
    window: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The replicas allowed now, with reason and message of the conditions AbleToScale and ScalingLimited."""

    replicas: int
    limited: bool
    able: tuple[str, str]
    limit: tuple[str, str]
    memory: Memory


STEADY = ("ReadyForNewScale", "recommended size matches current size")
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
TOO_FAST_UP = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_FAST_DOWN = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
DOWN_STABILIZED = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
UP_STABILIZED = ("ScaleUpStabilized", "recent recommendations were lower than current one, applying the lowest recent recommendation")


def begun(memory: Memory, replicas: int, moment: datetime) -> Memory:
    """The memory of an autoscaler that has looked at least once: what it found counts as recommended."""
    return memory if memory.recommended else replace(memory, recommended=(Dated(replicas, moment),))


def allowed(bounds: Bounds, wanted: int, memory: Memory, moment: datetime) -> Verdict:
    """What becomes of a recommendation."""
    steady, able, memory = _stabilized(bounds, wanted, memory, moment)
    replicas, limit = _by_behavior(bounds, steady, memory, moment) if bounds.behavior else _by_default(bounds, steady)
    return Verdict(replicas, replicas != steady, able, limit, memory)


def scaled(memory: Memory, behavior: Manifest, before: int, after: int, moment: datetime) -> Memory:
    """The memory after a change of replicas; without a behavior nobody will ask for it."""
    if not behavior:
        return memory
    seconds = max(int(policy["periodSeconds"]) for name in ("scaleUp", "scaleDown") for policy in behavior[name]["policies"])
    if after > before:
        return replace(memory, added=_with(memory.added, after - before, moment, seconds))
    return replace(memory, removed=_with(memory.removed, before - after, moment, seconds))


def _with(events: Sequence[Dated], replicas: int, moment: datetime, seconds: int) -> tuple[Dated, ...]:
    """The events not older than that, and a new one."""
    since = moment - timedelta(seconds=seconds)
    return (*(event for event in events if event.at >= since), Dated(replicas, moment))


def _stabilized(bounds: Bounds, wanted: int, memory: Memory, moment: datetime) -> tuple[int, tuple[str, str], Memory]:
    """Grow no further than the lowest recommendation of one window says, shrink no further than the highest of the other."""
    up, down = _windows(bounds)
    kept = replace(memory, recommended=_with(memory.recommended, wanted, moment, max(up, down)))
    lowest = min([wanted, *_since(memory.recommended, moment, up)])
    highest = max([wanted, *_since(memory.recommended, moment, down)])
    if not bounds.behavior:
        return highest, STEADY if highest == wanted else DOWN_STABILIZED, kept
    steady = min(max(bounds.current, lowest), highest)
    if steady == wanted:
        return steady, STEADY, kept
    return steady, UP_STABILIZED if wanted >= bounds.current else DOWN_STABILIZED, kept


def _since(events: Sequence[Dated], moment: datetime, seconds: int) -> list[int]:
    since = moment - timedelta(seconds=seconds)
    return [event.replicas for event in events if event.at > since]


def _windows(bounds: Bounds) -> tuple[int, int]:
    if not bounds.behavior:
        return 0, bounds.window
    up, down = (bounds.behavior[name].get("stabilizationWindowSeconds") for name in ("scaleUp", "scaleDown"))
    return int(up or 0), int(bounds.window if down is None else down)


def _by_default(bounds: Bounds, wanted: int) -> tuple[int, tuple[str, str]]:
    """Without a behavior: at most twice as many at a time, but four in any case."""
    fastest = max(LIMIT_FACTOR * bounds.current, LIMIT_LEAST)
    if wanted < bounds.least:
        return bounds.least, TOO_FEW
    if wanted > min(bounds.most, fastest):
        return min(bounds.most, fastest), TOO_FAST_UP if bounds.most > fastest else TOO_MANY
    return wanted, WITHIN


def _by_behavior(bounds: Bounds, wanted: int, memory: Memory, moment: datetime) -> tuple[int, tuple[str, str]]:
    if wanted > bounds.current:
        limit = max(_highest(bounds, memory, moment), bounds.current)
        if wanted > min(limit, bounds.most):
            return min(limit, bounds.most), TOO_FAST_UP if bounds.most > limit else TOO_MANY
    if wanted < bounds.current:
        limit = min(_lowest(bounds, memory, moment), bounds.current)
        if wanted < max(limit, bounds.least):
            return max(limit, bounds.least), TOO_FAST_DOWN if bounds.least < limit else TOO_FEW
    return wanted, WITHIN


def _highest(bounds: Bounds, memory: Memory, moment: datetime) -> int:
    """How far the policies let it grow now."""
    rules = bounds.behavior["scaleUp"]
    if rules["selectPolicy"] == "Disabled":
        return bounds.current
    proposed = []
    for policy in rules["policies"]:
        start = bounds.current - _changed(memory.added, moment, policy)
        start += _changed(memory.removed, moment, policy)
        grown = math.ceil(start * (1 + policy["value"] / 100)) if policy["type"] == "Percent" else start + policy["value"]
        proposed.append(int(grown))
    return _chosen(rules, proposed, largest=max, smallest=min)


def _lowest(bounds: Bounds, memory: Memory, moment: datetime) -> int:
    """How far the policies let it shrink now."""
    rules = bounds.behavior["scaleDown"]
    if rules["selectPolicy"] == "Disabled":
        return bounds.current
    proposed = []
    for policy in rules["policies"]:
        start = bounds.current + _changed(memory.removed, moment, policy)
        start -= _changed(memory.added, moment, policy)
        shrunk = start * (1 - policy["value"] / 100) if policy["type"] == "Percent" else start - policy["value"]
        proposed.append(int(shrunk))
    return _chosen(rules, proposed, largest=min, smallest=max)


Choice = Callable[[Sequence[int]], int]


def _chosen(rules: Manifest, proposed: Sequence[int], *, largest: Choice, smallest: Choice) -> int:
    return smallest(proposed) if rules["selectPolicy"] == "Min" else largest(proposed)


def _changed(events: Sequence[Dated], moment: datetime, policy: Manifest) -> int:
    return sum(_since(events, moment, policy["periodSeconds"]))
