"""The shortest tale that still breaks a law: happenings are left out one after the other for as long as it does. Pure."""

from collections.abc import Callable, Sequence


def shortest(places: Sequence[int], breaks: Callable[[Sequence[int]], bool]) -> tuple[int, ...]:
    """Some of the places, in their order, of which none can be left out: half of them are tried first, then each alone."""
    kept = tuple(places)
    size = max(len(kept) // 2, 1)
    while kept:
        for start in range(0, len(kept), size):
            fewer = kept[:start] + kept[start + size :]
            if breaks(fewer):
                kept = fewer
                break
        else:
            if size == 1:
                break
            size //= 2
        size = max(min(size, len(kept) // 2), 1)
    return kept
