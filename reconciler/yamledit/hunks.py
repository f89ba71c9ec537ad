"""Two versions of a text that is no YAML: the runs of lines in which they differ, each taken back by itself in a third version. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from reconciler.yamledit.changes import Moved

MOST_LINES = 5_000
"""Comparing is quadratic in the worst case: a longer text is one run."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A run of lines that differs: what the old and the new version have, and from which line on, counted from 0."""

    old_start: int
    new_start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


def hunks(old: bytes, new: bytes) -> Iterator[Hunk]:
    """The runs of lines in which two texts differ, in their order; of as many lines as before each line is one."""
    before, after = _lines(old), _lines(new)
    for start, end, new_start, new_end in _differences(before, after):
        if end - start == new_end - new_start:
            yield from (Hunk(start + at, new_start + at, (before[start + at],), (after[new_start + at],)) for at in range(end - start))
        else:
            yield Hunk(start, new_start, tuple(before[start:end]), tuple(after[new_start:new_end]))


def taken_back(new: bytes, chosen: Sequence[Hunk], now: bytes) -> bytes:
    """The text `now`, made from `new`, with the lines of some hunks as the old version had them.

    Lines that `now` has so already stay. Raises Moved where it has other lines in such a place.
    """
    current, changed = _lines(now), list(hunks(new, now))
    for hunk in sorted(chosen, key=lambda one: one.new_start, reverse=True):
        start, end = hunk.new_start, hunk.new_start + len(hunk.new)
        met = [one for one in changed if _meet(hunk, one)]
        if [(one.old_start, one.old, one.new) for one in met] == [(start, hunk.new, hunk.old)]:
            continue
        if met:
            raise Moved(())
        shift = sum(len(one.new) - len(one.old) for one in changed if one.old_start + len(one.old) <= start)
        current[start + shift : end + shift] = hunk.old
    return b"".join(current)


def _meet(hunk: Hunk, later: Hunk) -> bool:
    """True where a later change touches the lines of a hunk; what is put in between lines, or taken out, has its neighbours too."""
    start, end = hunk.new_start, hunk.new_start + len(hunk.new)
    first, last = later.old_start, later.old_start + len(later.old)
    same_length = len(hunk.new) == len(hunk.old) and len(later.new) == len(later.old)
    return start < last and first < end if same_length else start <= last and first <= end


def _lines(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True)


def _differences(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Where the two differ: from and to in the one, from and to in the other."""
    if before == after:
        return
    if len(before) + len(after) > MOST_LINES:
        yield 0, len(before), 0, len(after)
        return
    for tag, *place in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield place[0], place[1], place[2], place[3]
