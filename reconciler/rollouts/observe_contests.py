"""Remembers what was written to routers' objects: how often the same in a row. Lost with the process, which then counts anew."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from reconciler.kernel.identity import Manifest, ObjectRef, name_of, namespace_of
from reconciler.rollouts.traffic.contest import FORGOTTEN, Contest, counted

Line = tuple[str, str, ObjectRef]


class Contests:
    """One line for each Rollout and object that was written within the hour."""

    def __init__(self) -> None:
        self._lines: dict[Line, Contest] = {}

    def known(self, rollout: Manifest, refs: Iterable[ObjectRef]) -> Mapping[ObjectRef, Contest]:
        """What is remembered of these objects."""
        found = {ref: self._lines.get(_line(rollout, ref)) for ref in refs}
        return {ref: contest for ref, contest in found.items() if contest is not None}

    def wrote(self, rollout: Manifest, ref: ObjectRef, manifest: Manifest, now: datetime) -> None:
        """This content was written on behalf of the Rollout."""
        line = _line(rollout, ref)
        known = counted(self._lines.get(line), manifest, now)
        self._lines = {other: contest for other, contest in self._lines.items() if now - contest.last <= FORGOTTEN}
        self._lines[line] = known


def _line(rollout: Manifest, ref: ObjectRef) -> Line:
    return namespace_of(rollout), name_of(rollout), ref
