"""The ReplicaSet of a version: made from a template, found again by hash or by meaning, decorated in place (contract 10.2–10.5)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from reconciler.kernel.identity import Labels, Manifest, annotations_of, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.well_known import DESIRED_REPLICAS, EPHEMERAL_METADATA, HASH_LABEL, REVISION
from reconciler.rollouts.replicas.defaults import with_defaults
from reconciler.rollouts.replicas.hash import canonical
from reconciler.rollouts.replicas.history import NOT_COPIED

TOPOLOGY = "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NO_METADATA: Mapping[str, Labels] = {"labels": {}, "annotations": {}}


def new_replica_set(  # noqa: PLR0913 - the facts of contract 10.4
    *,
    rollout: Manifest,
    template: Manifest,
    selector: Manifest,
    hash: str,
    revision: int,
    replicas: int,
    min_ready_seconds: int,
    stable_hash: str = "",
) -> Manifest:
    """The ReplicaSet to create, still without pods; `replicas` is the Rollout's, noted as an annotation (contract 10.4)."""
    labels = {**(template.get("metadata", {}).get("labels") or {}), HASH_LABEL: hash}
    namespace = namespace_of(rollout)
    avoided = "" if stable_hash == hash else stable_hash
    spread = set_anti_affinity(template, anti_affinity_of(rollout), namespace, avoided)
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(rollout)}-{hash}",
            "namespace": namespace,
            "labels": labels,
            "annotations": _annotations(rollout, revision, replicas),
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": min_ready_seconds,
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: hash}},
            "template": {**spread, "metadata": {**(spread.get("metadata") or {}), "labels": labels}},
        },
    }


def owner_reference(rollout: Manifest) -> Manifest:
    return {
        "apiVersion": rollout.get("apiVersion", "argoproj.io/v1alpha1"),
        "kind": rollout.get("kind", "Rollout"),
        "name": name_of(rollout),
        "uid": uid_of(rollout),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _annotations(rollout: Manifest, revision: int, replicas: int) -> Manifest:
    copied = {key: value for key, value in annotations_of(rollout).items() if key not in NOT_COPIED}
    return {**copied, REVISION: str(revision), DESIRED_REPLICAS: str(replicas)}


def find_new(template: Manifest, replica_sets: Sequence[Manifest], hash: str) -> Manifest | None:
    """The oldest ReplicaSet of this template: by its hash label, else by meaning (contract 10.2, 13.45)."""
    oldest_first = sorted(replica_sets, key=lambda found: (str(found["metadata"].get("creationTimestamp") or ""), name_of(found)))
    for found in oldest_first:
        if labels_of(found).get(HASH_LABEL) == hash:
            return found
    return next((found for found in oldest_first if semantically_equal(template, without_injected(found))), None)


def without_injected(replica_set: Manifest) -> Manifest:
    """Its pod template without the ephemeral metadata that its annotation says was injected."""
    template: Manifest = replica_set["spec"]["template"]
    return replace_metadata(template, ephemeral_of(replica_set), NO_METADATA)


def semantically_equal(desired_template: Manifest, live_template: Manifest) -> bool:
    """True when both mean the same pods: API defaults applied, hash label and injected anti-affinity ignored (contract 10.2 item 3).

    Take injected metadata off the live one first: `without_injected`.
    """
    return bool(_meaning(desired_template) == _meaning(live_template))


def _meaning(template: Manifest) -> Any:
    """What is compared: absent and zero are one where Go's types say so; `serviceAccount` counts as the name it is an alias of."""
    whole = with_defaults(set_anti_affinity(template, None, "", ""))
    labels = {key: value for key, value in (whole["metadata"].get("labels") or {}).items() if key != HASH_LABEL}
    spec = dict(whole["spec"])
    alias = spec.pop("serviceAccount", None)
    spec["serviceAccountName"] = spec.get("serviceAccountName") or alias
    spec["affinity"] = {kind: terms for kind, terms in (spec.get("affinity") or {}).items() if terms} or None
    return canonical({**whole, "metadata": {**whole["metadata"], "labels": labels}, "spec": spec}, "PodTemplate")


def anti_affinity_of(rollout: Manifest) -> Manifest | None:
    """The strategy's `antiAffinity`, if it has one."""
    strategy = rollout.get("spec", {}).get("strategy") or {}
    found: Manifest | None = (strategy.get("canary") or strategy.get("blueGreen") or {}).get("antiAffinity")
    return found


def set_anti_affinity(template: Manifest, rule: Manifest | None, namespace: str, avoided: str) -> Manifest:
    """The template that keeps away from nodes with pods of hash `avoided`; an earlier injected term goes (contract 10.5).

    Without a rule or a hash to avoid, the result carries no injected term. Affinities of the user stay.
    """
    spec = template.get("spec") or {}
    affinity = spec.get("affinity") or {}
    terms = _kept_terms(affinity.get("podAntiAffinity") or {})
    if rule and avoided:
        key, term = _injected_term(rule, namespace, avoided)
        terms = {**terms, key: [*terms.get(key, []), term]}
    if terms == (affinity.get("podAntiAffinity") or {}):
        return template
    whole = {key: value for key, value in {**affinity, "podAntiAffinity": terms}.items() if value}
    return {**template, "spec": {key: value for key, value in {**spec, "affinity": whole}.items() if key != "affinity" or value}}


def _kept_terms(terms: Manifest) -> Manifest:
    kept = {key: [term for term in terms.get(key) or [] if not _is_injected(term)] for key in (REQUIRED, PREFERRED) if terms.get(key)}
    others = {key: value for key, value in terms.items() if key not in (REQUIRED, PREFERRED)}
    return {key: value for key, value in {**kept, **others}.items() if value}


def _is_injected(term: Manifest) -> bool:
    selector = (term.get("podAffinityTerm") or term).get("labelSelector") or {}
    return any(expression.get("key") == HASH_LABEL for expression in selector.get("matchExpressions") or [])


def _injected_term(rule: Manifest, namespace: str, avoided: str) -> tuple[str, Manifest]:
    term = {
        "labelSelector": {"matchExpressions": [{"key": HASH_LABEL, "operator": "In", "values": [avoided]}]},
        "namespaces": [namespace],
        "topologyKey": TOPOLOGY,
    }
    preferred = rule.get(PREFERRED)
    if preferred is not None:
        return PREFERRED, {"weight": preferred.get("weight", 1), "podAffinityTerm": term}
    return REQUIRED, term


def replace_metadata(carrier: Manifest, former: Mapping[str, Labels], wanted: Mapping[str, Labels]) -> Manifest:
    """A template or pod with `wanted` injected; of what else it carries only keys of `former` are removed (contract 10.4)."""
    metadata = dict(carrier.get("metadata") or {})
    for part in NO_METADATA:
        stale = former.get(part, {}).keys() - wanted.get(part, {}).keys()
        kept = {key: value for key, value in (metadata.get(part) or {}).items() if key not in stale}
        merged = {**kept, **wanted.get(part, {})}
        if merged or part in metadata:
            metadata[part] = merged
    return {**carrier, "metadata": metadata}


def ephemeral_of(replica_set: Manifest) -> Mapping[str, Labels]:
    """The labels and annotations that were injected into this ReplicaSet's template, by its own account."""
    try:
        injected = orjson.loads(annotations_of(replica_set).get(EPHEMERAL_METADATA, "{}"))
    except ValueError:
        return NO_METADATA
    told = injected if isinstance(injected, dict) else {}
    return {part: found if isinstance(found := told.get(part), dict) else {} for part in NO_METADATA}


def with_ephemeral(replica_set: Manifest, labels: Labels, annotations: Labels) -> Manifest:
    """The ReplicaSet whose template carries exactly these ephemeral labels and annotations; the same object when it does already."""
    wanted = {"labels": labels, "annotations": annotations}
    metadata = replica_set["metadata"]
    notes = {key: value for key, value in annotations_of(replica_set).items() if key != EPHEMERAL_METADATA}
    filled = {part: dict(sorted(values.items())) for part, values in wanted.items() if values}
    if filled:
        notes[EPHEMERAL_METADATA] = json.dumps(filled, separators=(",", ":"))
    template = replace_metadata(replica_set["spec"]["template"], ephemeral_of(replica_set), wanted)
    if template == replica_set["spec"]["template"] and ephemeral_of(replica_set) == wanted:
        return replica_set
    return {**replica_set, "metadata": {**metadata, "annotations": notes}, "spec": {**replica_set["spec"], "template": template}}
