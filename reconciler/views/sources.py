"""How sources stand: the commit they are at, what does not run yet, what is wrong, and what waits for a person. Pure."""

from collections.abc import Mapping

from reconciler.sources.drift import Drift
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


class DriftedFieldRow(View, frozen=True, kw_only=True):
    """One field that Git sets and that lives otherwise, because another manager changed it."""

    field: str
    pointer: str
    by: str
    """Empty where it was removed, of which the server keeps nothing."""
    since: str


class DriftRow(View, frozen=True, kw_only=True):
    """One object with such fields."""

    object: str
    fields: tuple[DriftedFieldRow, ...]
    more: int
    """Fields beyond those that are named."""
    fought: bool
    """True once it was brought back too often and is left as it is."""


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
    drifts: tuple[DriftRow, ...]
    drifted: int
    """All objects with drift; not each of them is named."""
    waits: str
    """The sync wave or window that it waits for."""
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
        drifts=tuple(map(_drift, inventory.drifts)),
        drifted=inventory.drifted,
        waits=str(inventory.closed or inventory.wave or ""),
        ignored=inventory.ignored,
        planned=inventory.planned,
        removals=blocked.objects if blocked is not None else (),
        confirm=f"reconciler source confirm {name}{flags}" if blocked is not None else "",
    )


def _drift(drift: Drift) -> DriftRow:
    fields = tuple(DriftedFieldRow(field=one.field, pointer=one.pointer, by=one.manager, since=one.since) for one in drift.fields)
    return DriftRow(object=drift.object, fields=fields, more=drift.more, fought=drift.fought)


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
