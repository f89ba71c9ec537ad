"""What an edit for one workload moves beside it. Pure."""

from reconciler.kernel.identity import Manifest
from reconciler.sources.documents import Parsed
from reconciler.sources.model import WorkloadId
from reconciler.sources.references import Named
from reconciler.sources.templates import Workload, behind, identity, referenced_config, workloads
from reconciler.yamledit.differences import canonical


def strays(before: Parsed, after: Parsed, workload: WorkloadId) -> list[str] | None:
    """The other workloads that an edit would move through shared config; None when it breaks or moves anything else."""
    was, now = workloads(before), workloads(after)
    if was.keys() != now.keys() or list(map(str, before.problems)) != list(map(str, after.problems)):
        return None
    own = _own(before, was[workload]) | _own(after, now[workload])
    if not _same(_rest(before, own), _rest(after, own)):
        return None
    others = [id for id in was if id != workload and _asks_otherwise((before, was[id]), (after, now[id]))]
    return sorted(map(str, others))


def _own(parsed: Parsed, workload: Workload) -> set[Named]:
    """What an edit for this workload may touch: its template, and the config that this refers to."""
    return {workload.template.key, *(located.key for located in referenced_config(parsed, workload))}


def _rest(parsed: Parsed, own: set[Named]) -> list[Manifest]:
    return [located.manifest for located in (*parsed.manifests, *parsed.hooks) if located.key not in own]


def _same(ones: list[Manifest], others: list[Manifest]) -> bool:
    """Manifests of files that were not edited are the very same objects: that is the cheap first look."""
    return len(ones) == len(others) and all(
        one is other or canonical(one) == canonical(other) for one, other in zip(ones, others, strict=True)
    )


def _asks_otherwise(before: tuple[Parsed, Workload], after: tuple[Parsed, Workload]) -> bool:
    return not _same(behind(*before), behind(*after)) and identity(*before) != identity(*after)
