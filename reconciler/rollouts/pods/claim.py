"""Whose ReplicaSets: orphans that match are adopted, owned ones that no longer match are released (contract 10.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.kernel.identity import Manifest, ObjectRef, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import REPLICA_SETS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.rollouts.replicas.template import owner_reference


@dataclass(frozen=True, slots=True)
class Claims:
    """The ReplicaSets a rollout owns, and the writes that make it so: both may be applied again."""

    owned: tuple[Manifest, ...]
    writes: tuple[Patch, ...]


def claim(rollout: Manifest, selector: Manifest, candidates: Iterable[Manifest]) -> Claims:
    """Sort out the ReplicaSets of a namespace; those on their way out are neither adopted nor released."""
    owned: list[Manifest] = []
    writes: list[Patch] = []
    for candidate in candidates:
        owner, fits = controller_uid(candidate), matches(selector, labels_of(candidate))
        leaving = bool(candidate["metadata"].get("deletionTimestamp"))
        if owner == uid_of(rollout):
            if fits or leaving:
                owned.append(candidate)
            else:
                writes.append(_owners(candidate, [o for o in _owner_references(candidate) if o.get("uid") != owner]))
        elif owner is None and fits and not leaving and HASH_LABEL in labels_of(candidate):
            writes.append(_owners(candidate, [*_owner_references(candidate), owner_reference(rollout)]))
    return Claims(tuple(owned), tuple(writes))


def _owner_references(manifest: Manifest) -> list[Manifest]:
    return list(manifest["metadata"].get("ownerReferences") or [])


def _owners(manifest: Manifest, owners: list[Manifest]) -> Patch:
    """Only this very object: its uid and version are part of the patch."""
    metadata = {"uid": uid_of(manifest), "resourceVersion": manifest["metadata"].get("resourceVersion"), "ownerReferences": owners or None}
    return Patch(ObjectRef(REPLICA_SETS, namespace_of(manifest), name_of(manifest)), {"metadata": metadata})


def matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """True when labels satisfy a label selector; an empty one matches nothing here."""
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not wanted and not expressions:
        return False
    return all(labels.get(key) == value for key, value in wanted.items()) and all(_holds(e, labels) for e in expressions)


def _holds(expression: Manifest, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    outcomes = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return outcomes[expression["operator"]]
