"""What a source whose sync window is closed may still write: the way back of a version that was rejected, and nothing else."""

from collections.abc import Sequence
from datetime import datetime

from reconciler.releases.model import REJECTIONS
from reconciler.sources.inventory import ClosedWindow
from reconciler.sources.references import Named
from reconciler.sources.templates import workloads
from reconciler.sources.windows import standing
from reconciler.sync.facts import GateFacts, SourceFacts
from reconciler.sync.waves import NOWHERE, Waves
from reconciler.sync.wish import Wish


def closed_now(facts: SourceFacts, now: datetime) -> ClosedWindow | None:
    """The window that keeps a source from being written; None while it is open, or a person has opened it."""
    found = standing(facts.settings.windows, now)
    if found.open or (facts.opened_until is not None and now < facts.opened_until):
        return None
    return ClosedWindow(found.closed_by, found.changes_at)


def kept_closed(facts: SourceFacts, wishes: Sequence[Wish], closed: ClosedWindow) -> Waves:
    """Only what restores is written; everything else waits for the window to open."""
    back = _restored(facts)
    through = tuple(found for found in wishes if found.key in back)
    return Waves(through, tuple(found for found in wishes if found.key not in back), wake_at=closed.until, reached=NOWHERE)


def _restored(facts: SourceFacts) -> frozenset[Named]:
    """The workloads that Git brings back to what served before a rejected version, with the config that they refer to."""
    found: set[Named] = set()
    for workload in workloads(facts.tip.parsed).values():
        gate = facts.gates.get(workload.template.key)
        if gate is not None and _goes_back(gate):
            found |= {workload.owner.key, workload.template.key, *workload.template.config}
    return frozenset(found)


def _goes_back(gate: GateFacts) -> bool:
    newest = max(gate.history, key=lambda release: release.spec.number, default=None)
    if newest is None or newest.status.verdict not in REJECTIONS or newest.spec.previous is None:
        return False
    return bool(gate.identity) and newest.spec.previous.identity == gate.identity
