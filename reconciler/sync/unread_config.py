"""Workloads whose config Git cannot say now: what they would run without it is not what Git asks for. Pure."""

from dataclasses import replace
from typing import Protocol

from reconciler.git.objects import Hides, SourceProblem
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import name_of
from reconciler.releases.model import Release
from reconciler.releases.opening.asking import released_workloads
from reconciler.sources.documents import Parsed
from reconciler.sources.inventory import Inventory
from reconciler.sources.references import Named
from reconciler.sources.source_port import Tip
from reconciler.sources.templates import Workload
from reconciler.sync.prune import behind

DERIVED = "without unread config"


class ReleaseMemory(Protocol):
    """What is known of released workloads."""

    def adopted(self, namespace: str, name: str) -> bool:
        """True when a policy releases this Deployment. Raises Terminal where policies contradict each other."""
        ...

    def history(self, namespace: str, name: str) -> list[Release]:
        """The releases of one workload, oldest first."""
        ...


def settled(tip: Tip, inventory: Inventory, releases: ReleaseMemory) -> Tip:
    """The tip in which nothing is said of a released workload that reads config which was here and may stand in an unreadable file.

    What was here the inventory says, and the newest release where another tool applies. Otherwise a slip in a ConfigMap's file were a
    release: a version without that config, with new pods, judged and restored.
    """
    parsed = tip.parsed
    if not parsed.unreadable and not parsed.withheld:
        return tip
    hidden = [entry.place for entry in inventory.entries if parsed.unreadable or behind(entry, parsed.withheld)]
    known = {place[1:] for place in hidden}
    released = released_workloads(parsed, lambda namespace, name: _adopted(releases, namespace, name))
    waiting = [(w, missing) for w in released if (missing := _missing(parsed, w, known | _asked_before(parsed, w, releases)))]
    if not waiting:
        return tip
    problems = tuple(_problem(workload, missing) for workload, missing in waiting)
    kept = parsed.derived.get(DERIVED)
    if kept is None or kept[0] != problems:  # the same tip is the same object: what is thought of it is kept by it
        claims = parsed.claims | {part.claim for workload, _missing_here in waiting for part in (workload.owner, workload.template)}
        kept = parsed.derived[DERIVED] = (problems, replace(parsed, claims=claims, problems=(*parsed.problems, *problems)))
    return replace(tip, parsed=kept[1])


def _adopted(releases: ReleaseMemory, namespace: str, name: str) -> bool:
    try:
        return releases.adopted(namespace, name)
    except Terminal:  # which is said where the release would be opened
        return False


def _asked_before(parsed: Parsed, workload: Workload, releases: ReleaseMemory) -> set[Named]:
    """The ConfigMaps that the newest release asks for, where any file may hold them."""
    namespace = workload.template.key[1]
    history = releases.history(namespace, workload.id.name) if parsed.unreadable else []
    return {("ConfigMap", namespace, name_of(kept)) for release in history[-1:] for kept in release.spec.content.config}


def _missing(parsed: Parsed, workload: Workload, known: set[Named]) -> tuple[Named, ...]:
    return tuple(named for named in workload.template.config if named in known and parsed.find(*named) is None)


def _problem(workload: Workload, missing: tuple[Named, ...]) -> SourceProblem:
    names = ", ".join(f"{kind} {name}" for kind, _namespace, name in missing)
    message = f"{workload.id} stays as it is: what it reads cannot be read in Git now ({names})"
    return SourceProblem(workload.template.file, workload.template.line, message, "mend the file that holds it", Hides.NOTHING)
