"""How sources stand: the commit they are at, what does not run yet, what is wrong, and what waits for a person. Pure."""

from collections.abc import Mapping

from reconciler.sources.inventory import Inventory
from reconciler.sources.problem import RecordedProblem
from reconciler.views.view import View


class SourceProblemRow(View, frozen=True, kw_only=True):
    """One thing that is not done, where it stands in Git, and what is to be done about it."""

    reason: str
    file: str
    line: int
    object: str
    message: str
    remedy: str
    mender: str
    retried: bool


class SourceStanding(View, frozen=True, kw_only=True):
    """One source, as its inventory has it."""

    name: str
    namespace: str
    """Where its inventory is kept."""
    commit: str
    renderer: str
    objects: tuple[str, ...]
    """What it applied: `Kind namespace/name`."""
    workloads: int
    behind: tuple[str, ...]
    """Workloads that run another version than this commit asks for."""
    problems: tuple[SourceProblemRow, ...]
    ignored: tuple[str, ...]
    planned: tuple[str, ...]
    removals: tuple[str, ...]
    """Removals that wait for a person."""
    confirm: str
    """What a person types to let them go; empty when none waits."""


def source_standing(name: str, namespace: str, inventory: Inventory, running: Mapping[str, str], flags: str = "") -> SourceStanding:
    """The standing of one source; `running` tells by workload which identity its pods are of, as far as that is known."""
    blocked = inventory.blocked
    return SourceStanding(
        name=name,
        namespace=namespace,
        commit=inventory.commit,
        renderer=inventory.renderer,
        objects=tuple(f"{kind} {f'{place}/' if place else ''}{known}" for _, kind, place, known in (e.place for e in inventory.entries)),
        workloads=len(inventory.workloads),
        behind=tuple(sorted(key for key, asked in inventory.workloads.items() if running.get(key, asked) != asked)),
        problems=tuple(map(_problem, inventory.problems)),
        ignored=inventory.ignored,
        planned=inventory.planned,
        removals=blocked.objects if blocked is not None else (),
        confirm=f"reconciler source confirm {name}{flags}" if blocked is not None else "",
    )


def _problem(problem: RecordedProblem | str) -> SourceProblemRow:
    """As it is on record; what an earlier version wrote is one text."""
    known = problem if isinstance(problem, RecordedProblem) else None
    return SourceProblemRow(
        reason=str(known.reason) if known else "",
        file=known.file if known else "",
        line=known.line if known else 0,
        object=known.object if known else "",
        message=known.message if known else str(problem),
        remedy=known.remedy if known else "",
        mender=str(known.mender) if known else "",
        retried=known.retried if known else False,
    )
