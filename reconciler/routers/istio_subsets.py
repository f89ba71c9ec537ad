"""The subsets of an Istio DestinationRule: which version each selects (contract 9.3)."""

from collections.abc import Mapping, Sequence

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY


def switched(rule: Manifest, owner: str, hashes: Mapping[str, str], kept: Sequence[str] = ()) -> Manifest:
    """The rule whose subsets, by name, select these hashes (empty: none), and that says who owns it; the same object when it does.

    Subsets in `kept` stay as they are, others go (contract 13.40).
    """
    return _annotated(_with_subsets(rule, hashes, kept), owner)


def _with_subsets(rule: Manifest, hashes: Mapping[str, str], kept: Sequence[str]) -> Manifest:
    present = (rule.get("spec") or {}).get("subsets") or []
    subsets = [
        _labelled(subset, hashes[subset["name"]]) if subset["name"] in hashes else subset
        for subset in present
        if subset["name"] in hashes or subset["name"] in kept
    ]
    return rule if subsets == present else {**rule, "spec": {**(rule.get("spec") or {}), "subsets": subsets}}


def with_experiments(rule: Manifest, experiments: Mapping[str, str]) -> Manifest:
    """The rule with a subset for each experiment's service that has none yet."""
    present = (rule.get("spec") or {}).get("subsets") or []
    missing = sorted(experiments.keys() - {subset["name"] for subset in present})
    if not missing:
        return rule
    added = [{"name": name, "labels": {HASH_LABEL: experiments[name]}} for name in missing]
    return {**rule, "spec": {**(rule.get("spec") or {}), "subsets": [*present, *added]}}


def _labelled(subset: Manifest, hash: str) -> Manifest:
    """The subset with this hash label, or without when it is empty; all its other fields stay."""
    labels = subset.get("labels") or {}
    if labels.get(HASH_LABEL, "") == hash:
        return subset
    others = {key: value for key, value in labels.items() if key != HASH_LABEL}
    wanted = {**others, HASH_LABEL: hash} if hash else others
    rest = {key: value for key, value in subset.items() if key != "labels"}
    return {**rest, "labels": wanted} if wanted else rest


def _annotated(rule: Manifest, owner: str) -> Manifest:
    notes = annotations_of(rule)
    if notes.get(MANAGED_BY) == owner:
        return rule
    return {**rule, "metadata": {**rule["metadata"], "annotations": {**notes, MANAGED_BY: owner}}}


def all_hashes(rule: Manifest | None) -> frozenset[str]:
    """Every hash that any subset selects: such ReplicaSets are still referenced (contract 10.7)."""
    return frozenset(hash for _, hash in _subset_hashes(rule) if hash)


def _subset_hashes(rule: Manifest | None) -> list[tuple[str, str]]:
    subsets = ((rule or {}).get("spec") or {}).get("subsets") or []
    return [(str(subset.get("name", "")), str((subset.get("labels") or {}).get(HASH_LABEL, ""))) for subset in subsets]


def released(rule: Manifest, owner: str) -> Manifest:
    """The rule that `owner` no longer references: annotation and hash labels gone; the same object when it is not the owner's."""
    notes = annotations_of(rule)
    if notes.get(MANAGED_BY) != owner:
        return rule
    others = {key: value for key, value in notes.items() if key != MANAGED_BY}
    metadata = {key: value for key, value in {**rule["metadata"], "annotations": others}.items() if key != "annotations" or value}
    spec = rule.get("spec") or {}
    subsets = [_labelled(subset, "") for subset in spec.get("subsets") or []]
    return {**rule, "metadata": metadata, "spec": {**spec, "subsets": subsets} if subsets else spec}


def carried_hashes(desired: Manifest, live: Manifest) -> Manifest:
    """The desired rule with the hashes that its subsets select now."""
    hashes = dict(_subset_hashes(live))
    subsets = (desired.get("spec") or {}).get("subsets") or []
    carried = [_labelled(s, hashes[s["name"]]) if hashes.get(s.get("name", "")) else s for s in subsets]
    return {**desired, "spec": {**desired["spec"], "subsets": carried}} if carried != subsets else desired
