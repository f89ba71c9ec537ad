"""The basic canary: pods are the weights; the closest pair of counts is walked to in bounded moves (contract 2.2, 2.3)."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """One ReplicaSet as numbers: `spec.replicas` and `status.availableReplicas`."""

    spec: int
    available: int

    @property
    def serving(self) -> int:
        """Available pods that the spec keeps: pods on their way out do not count (contract 2.3)."""
        return min(self.spec, self.available)


def targets(replicas: int, weight: int, maximum: int, surge: int) -> tuple[int, int]:
    """The (canary, stable) pair whose share of pods is closest to `weight` of `maximum` (contract 2.2).

    Without a stable ReplicaSet, or when it is the new one, the answer is (replicas, 0): the caller knows.
    """
    if replicas == 0:
        return 0, 0

    def miss(candidate: tuple[int, int]) -> int:
        """How far the share is off, over the one denominator that both totals divide: exact without fractions."""
        canary, total = candidate
        return abs(canary * maximum - weight * total) * (2 * replicas + 1 - total)

    canary, total = min(_candidates(replicas, weight, maximum, surge), key=miss)
    return canary, total - canary


def _candidates(replicas: int, weight: int, maximum: int, surge: int) -> Iterator[tuple[int, int]]:
    """Pairs (canary, total) worth a look, at least one; the larger canary comes first, so ties favour it (contract 2.2).

    Contract 2.2 drops the smaller canary of a tie, which matters only when the larger one would take every pod: without surge
    nothing would be left and no canary would start. 13.12 forbids that, so the smaller one stays a candidate.
    """
    more, fewer = -(-replicas * weight // maximum), replicas * weight // maximum
    zero_allowed = weight in (0, maximum) or (replicas == 1 and surge == 0)
    some = fewer != 0 or zero_allowed
    if more < replicas or zero_allowed:
        yield more, replicas
    if some:
        yield fewer, replicas
    if surge > 0:
        yield more, replicas + 1
    if surge > 0 and some:
        yield fewer, replicas + 1


def next_sizes(  # noqa: PLR0913 - the ten numbers of contract 2.3 are its arguments
    *,
    replicas: int,
    target_canary: int,
    target_stable: int,
    surge: int,
    unavailable: int,
    canary: Size,
    stable: Size,
    others: tuple[Size, ...],
) -> tuple[int, int]:
    """The (canary, stable) `spec.replicas` of this pass: one move that stays within surge and availability (contract 2.3)."""
    most, least = replicas + surge, replicas - unavailable
    budget = most - canary.spec - stable.spec - sum(other.spec for other in others)
    raised_stable = _raised(stable.spec, target_stable, budget)
    raised_canary = _raised(canary.spec, target_canary, budget - raised_stable + stable.spec)
    if any(other.spec > 0 for other in others):
        return raised_canary, raised_stable
    if target_canary >= canary.spec:
        drained, grown = _drain((stable, canary), (raised_stable, raised_canary), target_stable, (most, least))
        return grown, drained
    return _drain((canary, stable), (raised_canary, raised_stable), target_canary, (most, least))


def _raised(current: int, target: int, budget: int) -> int:
    return current + max(0, min(target - current, budget))


def _drain(sides: tuple[Size, Size], counts: tuple[int, int], target: int, limits: tuple[int, int]) -> tuple[int, int]:
    """The (draining, other) counts after the drain. Missing pods of the draining side never block it (contract 2.3 items 5–7)."""
    draining, other = sides
    most, least = limits
    spare = draining.spec + other.serving - least
    if spare <= 0:
        return counts
    drained, kept = counts
    if draining.spec > target:
        drained = max(target, draining.spec - spare)
    return _clamp(sides, (drained, kept), most, least)


def _clamp(sides: tuple[Size, Size], counts: tuple[int, int], most: int, least: int) -> tuple[int, int]:
    """Cut what exceeds `most`: from the other side first as far as availability allows, the rest from the draining one."""
    draining, other = sides
    drained, kept = counts
    over = max(0, drained + kept - most)
    cut = min(over, kept)
    serving = min(drained, draining.serving) + min(kept - cut, other.serving)
    cut -= min(cut, max(0, least - serving))
    return max(0, drained - (over - cut)), kept - cut
