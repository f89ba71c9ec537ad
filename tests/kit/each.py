"""One rule over many things as one test: thousands of tests of a millisecond cost more to begin than to run."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def for_each(things: Iterable[T], named: Callable[[T], str] = str) -> Callable[[Callable[[T], None]], Callable[[], None]]:
    """The rule holds for all of them; each that breaks it is named with its reason."""

    def rule(holds: Callable[[T], None]) -> Callable[[], None]:
        def test() -> None:
            broken = []
            for thing in things:
                try:
                    holds(thing)
                except AssertionError as error:
                    broken.append(f"{named(thing)}: {error}")
            assert not broken, "\n".join(broken)

        test.__name__, test.__doc__, test.__module__ = holds.__name__, holds.__doc__, holds.__module__
        return test

    return rule
