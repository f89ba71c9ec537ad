"""Which plug-ins of steps there are: entry points of installed packages, each under the name that a step has in `plugin.name`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

import httpx

from reconciler.rollouts.plugin import Reply, StepCall, StepPlugins, SwitchedOff, Unanswered
from reconciler.runtime.installed import Installed, loaded
from reconciler.stepplugins.plugin import HeldPlugin

GROUP = "reconciler.steps"
"""The group of entry points; the name of each is the `name` of its steps."""


@dataclass(frozen=True, slots=True)
class StepHands:
    """What plug-ins are called with and held by: the client that all share, the names that are switched off, leave to act at all."""

    http: httpx.AsyncClient
    disabled: frozenset[str]
    permit: Callable[[str], None]


def found() -> tuple[Installed, ...]:
    """The plug-ins among the packages that this process was started with."""
    return loaded(entry_points(group=GROUP))


def installed_steps(hands: StepHands) -> StepPlugins:
    """All plug-ins that are installed here."""
    return InstalledSteps(found(), hands)


class InstalledSteps:
    """Plug-ins by name. A call is a write like any other: `permit` raises when that must not be now."""

    def __init__(self, plugins: Iterable[Installed], hands: StepHands) -> None:
        self._plugins: Mapping[str, HeldPlugin] = {one.name: HeldPlugin(one, hands.http) for one in plugins}
        self._disabled = hands.disabled
        self._permit = hands.permit

    async def call(self, call: StepCall) -> Reply:
        if call.name in self._disabled:
            return SwitchedOff()
        plugin = self._plugins.get(call.name)
        if plugin is None:
            return Unanswered(f"no package that is installed here has the entry point {call.name!r} in the group {GROUP!r}")
        self._permit(f"{call.operation} of step plug-in {call.name}")
        return await plugin.call(call)
