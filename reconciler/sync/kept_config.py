"""What a ConfigMap or Secret may hold now: while every workload that reads it is kept as it is, so is what it reads (ADR 0039)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.kernel.identity import Manifest, name_of
from reconciler.releases.holds import holder, serving
from reconciler.releases.model import Release
from reconciler.rollouts.view import view_of
from reconciler.sources.documents import Located, Parsed
from reconciler.sources.references import Named
from reconciler.sources.templates import CONFIG_PARTS, Workload, content_of, workloads
from reconciler.sync.facts import GateFacts, SourceFacts
from reconciler.sync.template_gate import template_decision

KINDS = ("ConfigMap", "Secret")


def kept_config(facts: SourceFacts, located: Located, live: Manifest | None, now: datetime) -> Manifest | None:
    """The object with what it is to hold instead of what Git says; None where Git has its way.

    A version that is held takes no effect by its config either: where the Release knows what served, that is put back; of a Secret no
    Release knows it, so what lives stays. While a rejected version is kept for inspection Git has its way: users come first.
    """
    if located.key[0] not in KINDS or live is None:
        return None
    readers = _readers(facts.tip.parsed).get(located.key, ())
    gates = [facts.gates.get(workload.template.key) for workload in readers]
    stand = [_standing(gate, now) if gate is not None else None for gate in gates]
    if not stand or None in stand:
        return None
    good = next((one for one in stand if isinstance(one, Release)), None)
    known = _served(good, located) if good is not None else None
    content = content_of(live) if known is None else known
    return _with(located.manifest, content) if content != content_of(located.manifest) else None


def _standing(gate: GateFacts, now: datetime) -> Release | bool | None:
    """None where what a workload reads may change; the version that served where one is held; True where what lives stays."""
    decision, _end = template_decision(gate, now, holds_template=True, lives=True)
    if not decision.keep or decision.wake_at is not None:
        return None
    if holder(gate.history, gate.identity, gate.images, gate.elsewhere) is None or gate.first is not None:
        return True
    good = serving(gate.history, view_of(gate.rollout).stable if gate.rollout is not None else "")
    return good if good is not None else True


def _served(good: Release, located: Located) -> Mapping[str, Any] | None:
    """What a ConfigMap held as that version served; None where its Release does not know it."""
    kept = next((one for one in good.spec.content.config if located.key[0] == "ConfigMap" and name_of(one) == located.key[2]), None)
    return {part: kept[part] for part in CONFIG_PARTS if part in kept} if kept is not None else None


def _with(manifest: Manifest, content: Mapping[str, Any]) -> Manifest:
    others = {key: value for key, value in manifest.items() if key not in CONFIG_PARTS}
    return {**others, **content}


def _readers(parsed: Parsed) -> Mapping[Named, tuple[Workload, ...]]:
    """The workloads of a source by the ConfigMaps and Secrets that their templates refer to."""
    found: dict[Named, tuple[Workload, ...]] | None = parsed.derived.get("readers")
    if found is None:
        found = parsed.derived["readers"] = {}
        for workload in workloads(parsed).values():
            for key in workload.template.config:
                found[key] = (*found.get(key, ()), workload)
    return found
