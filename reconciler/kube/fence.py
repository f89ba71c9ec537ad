"""What must be true before anything is written: checked in one place, at the last moment (ADR 0021, 0022)."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.kernel.errors import Transient


class Fenced(Transient):
    """A write was not sent because it is not allowed now; it will be asked for again."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One reason to withhold writes: `shut` answers the reason, or None while writes may pass."""

    shut: Callable[[], str | None]


class Fence:
    """All gates before a write. An empty fence lets everything pass."""

    def __init__(self, *gates: Gate) -> None:
        self._gates = gates

    def check(self, what: str) -> None:
        """Pass, or raise Fenced naming what was withheld and why."""
        for gate in self._gates:
            reason = gate.shut()
            if reason:
                raise Fenced(f"{what} withheld: {reason}")


def read_only() -> Gate:
    return Gate(lambda: "running with --read-only")
