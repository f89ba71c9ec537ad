"""The baseline pair: pods of the stable version, as many and as old as the canary's, made for a comparison and removed after it. Pure.

It is a ReplicaSet and not an Experiment: an Experiment's pods wear a hash of their own (contract 8.2-2), so that no stable Service and no
subset ever sends them a user, and a baseline without users compares nothing. These pods wear the hash of the stable version. Whatever
routes users to that sends the pair its share, with any router and beside any rollout controller, and pods that are left behind while no
daemon runs are pods of the version that is trusted.

The Release owns it. No rollout controller claims what another object controls, and a Release that is deleted takes its pair along.
"""

import hashlib

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Action, Create, Emit, Patch, Remove
from reconciler.kernel.resources import RELEASES, REPLICA_SETS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.comparison.terms import Compare
from reconciler.releases.facts import RELEASE, ReleaseFacts
from reconciler.releases.model import Release

PAIR = "reconciler.dev/baseline"
"""On the pair and its pods: its own name."""
CANONICAL_REVISION = "service.istio.io/canonical-revision"
"""What Istio calls a version in its metrics: so the pair can be told from the stable pods, whose hash it wears."""
LONGEST_WORKLOAD = 36
"""With this much of the workload's name the pair's name and those of its pods stay whole: 63 characters are allowed."""


def pair_actions(release: Release, compare: Compare | None, facts: ReleaseFacts) -> tuple[Action, ...]:
    """What to write so that the pair is there exactly while it is compared; nothing once that is so."""
    stable = _stable(release, compare, facts)
    name = pair_name(release, facts.rollout.stable) if stable is not None else ""
    gone = tuple(action for pair in facts.pairs if name_of(pair) != name for action in _removal(pair))
    if stable is None:
        return gone
    size = _size(facts.replica_set(release.status.pod_hash))
    found = next((pair for pair in facts.pairs if name_of(pair) == name), None)
    if found is None and not size:
        return gone
    if found is None:
        told = Emit(_about(release), "BaselineCreated", f"{size} pods of the stable version are made for the comparison: {name}")
        return (*gone, Create(REPLICA_SETS, _pair(release, name, stable, size)), told)
    if _leaving(found) or _size(found) == size:
        return gone
    return (*gone, Patch(ObjectRef(REPLICA_SETS, namespace_of(found), name), {"spec": {"replicas": size}}))


def pair_name(release: Release, stable: str) -> str:
    """Deterministic, so that a pass cut in half finds what it made; another stable version has another pair."""
    told = hashlib.sha256(f"{release.namespace}/{release.name}/{release.uid}/{stable}".encode()).hexdigest()[:10]
    return f"{release.spec.workload.name[:LONGEST_WORKLOAD].rstrip('.-')}-baseline-{told}"


def serving_pair(release: Release, facts: ReleaseFacts) -> str:
    """The name of the pair once one of its pods serves; empty before."""
    name = pair_name(release, facts.rollout.stable)
    found = next((pair for pair in facts.pairs if name_of(pair) == name and not _leaving(pair)), None)
    return name if found is not None and (found.get("status") or {}).get("availableReplicas") else ""


def _stable(release: Release, compare: Compare | None, facts: ReleaseFacts) -> Manifest | None:
    """The ReplicaSet to make a pair of; None while none is wanted."""
    known = release.status.comparison
    over = known is not None and known.exceeded
    if compare is None or not compare.paired or over or not facts.splits(release):
        return None
    return facts.replica_set(facts.rollout.stable)


def _removal(pair: Manifest) -> tuple[Action, ...]:
    if _leaving(pair):
        return ()
    return (Remove(ObjectRef(REPLICA_SETS, namespace_of(pair), name_of(pair)), uid_of(pair)),)


def _leaving(pair: Manifest) -> bool:
    return bool(pair["metadata"].get("deletionTimestamp"))


def _size(replica_set: Manifest | None) -> int:
    return int(((replica_set or {}).get("spec") or {}).get("replicas") or 0)


def _pair(release: Release, name: str, stable: Manifest, size: int) -> Manifest:
    """The stable version's pods under another name. Its selector says more than the stable one's, so neither takes the other's pods."""
    spec, template = stable["spec"], stable["spec"]["template"]
    labels = {**labels_of(template), HASH_LABEL: labels_of(stable)[HASH_LABEL], PAIR: name, CANONICAL_REVISION: name}
    selector = spec.get("selector") or {}
    return {
        "apiVersion": REPLICA_SETS.api_version,
        "kind": REPLICA_SETS.kind,
        "metadata": {
            "name": name,
            "namespace": release.namespace,
            "labels": labels,
            "annotations": {RELEASE: release.name},
            "ownerReferences": [_owner(release)],
        },
        "spec": {
            "replicas": size,
            **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), PAIR: name}},
            "template": {
                "metadata": {"labels": labels, **({"annotations": found} if (found := annotations_of(template)) else {})},
                "spec": template["spec"],
            },
        },
    }


def _owner(release: Release) -> Manifest:
    return {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "name": release.name,
        "uid": release.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _about(release: Release) -> Manifest:
    """The Release, as far as an event needs to know it."""
    metadata = {"name": release.name, "namespace": release.namespace, "uid": release.uid}
    return {"apiVersion": RELEASES.api_version, "kind": RELEASES.kind, "metadata": metadata}
