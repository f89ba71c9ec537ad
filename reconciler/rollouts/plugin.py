"""The plug-in of a canary step: what it is asked and what it answers (contract 4.3). A package of its own keeps the plug-ins."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from reconciler.kernel.identity import Manifest


class Operation(StrEnum):
    """What a plug-in is asked for: to do its step, to end it when that is not waited for any more, or to take back what it did."""

    RUN = "Run"
    TERMINATE = "Terminate"
    ABORT = "Abort"


class StepPhase(StrEnum):
    """How a plug-in says that it stands. After Running and Error it is asked again; Failed brings the canary home."""

    RUNNING = "Running"
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    ERROR = "Error"

    @property
    def over(self) -> bool:
        """True of a step that is not run again."""
        return self in (StepPhase.SUCCESSFUL, StepPhase.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCall:
    """One question to a plug-in.

    `config` is the step's, `status` what the plug-in answered last time under this name. `key` is the same whenever this step of this
    attempt is asked about, and of no other: an answer may be lost on its way to the status, and then the call comes again.
    """

    operation: Operation
    index: int
    name: str
    config: Any
    status: Any
    rollout: Manifest
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAnswer:
    """What a plug-in says. `status` is handed to it at the next call; `again` is when to ask after Running, 30 seconds if not said."""

    phase: StepPhase
    message: str = ""
    status: Any = None
    again: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A plug-in that could not be asked, or broke its contract: it says nothing about the step."""

    reason: str


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """A plug-in that the daemon's settings disable: its steps are passed over."""


Reply = StepAnswer | Unanswered | SwitchedOff
CallKey = tuple[Operation, int]
"""A question of one pass: what for, and which step."""


class StepPlugins(Protocol):
    """All plug-ins of steps, by name."""

    async def call(self, call: StepCall) -> Reply:
        """Ask the plug-in of that name. Whatever it does, this answers."""
        ...
