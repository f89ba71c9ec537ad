"""How long the passes of each object took and how many failed, since this process started; read off at each scrape."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from reconciler.kernel.identity import Key

BOUNDS = (0.01, 0.15, 0.25, 0.5, 1.0)
"""Seconds: the reference's, so that its dashboards draw the same steps."""

REMEMBERED = 10_000
"""So many objects of a controller at most."""


@dataclass(slots=True)
class PassTime:
    """The passes of one object: how many took up to each of `BOUNDS` (not summed up), all, their seconds, and how many failed."""

    within: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))
    count: int = 0
    seconds: float = 0.0
    failed: int = 0

    @property
    def buckets(self) -> Iterator[tuple[str, float]]:
        """As a histogram has them: each bound with everything below it."""
        sofar = 0
        for bound, count in zip(BOUNDS, self.within, strict=True):
            sofar += count
            yield str(bound), sofar
        yield "+Inf", self.count


class PassTimes:
    """Counts the passes of some controllers, object by object; the objects that were seen first are forgotten first."""

    def __init__(self, controllers: Collection[str]) -> None:
        self._known: dict[str, dict[tuple[str, str], PassTime]] = {name: {} for name in controllers}

    def note(self, key: Key, seconds: float, *, failed: bool) -> None:
        """One pass is over; those of other controllers are not counted."""
        if key.controller not in self._known:
            return
        known = self._known[key.controller]
        time = known.setdefault((key.namespace, key.name), PassTime())
        if len(known) > REMEMBERED:  # nobody scrapes, and runs come and go
            del known[next(iter(known))]
        place = next((place for place, bound in enumerate(BOUNDS) if seconds <= bound), None)
        if place is not None:
            time.within[place] += 1
        time.count, time.seconds, time.failed = time.count + 1, time.seconds + seconds, time.failed + failed

    def of(self, controller: str, living: Collection[tuple[str, str]]) -> dict[tuple[str, str], PassTime]:
        """What is known of the objects (namespace, name) that there are; the others are forgotten."""
        known = self._known.get(controller, {})
        for place in [place for place in known if place not in living]:
            del known[place]
        return known
