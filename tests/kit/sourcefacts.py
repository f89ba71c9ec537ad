"""Facts of one source, without a cluster: what Git holds, what lives, what was applied before."""

from typing import Any

from reconciler.kernel.identity import Manifest, uid_of
from reconciler.kernel.resources import CONFIGMAPS, DEPLOYMENTS, NAMESPACES, ROLLOUTS, SERVICES
from reconciler.sources.inventory import Inventory, InventoryEntry, Place
from reconciler.sources.source_port import Tip
from reconciler.sync.facts import SourceFacts, place_of
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS
from tests.kit.manifests import parsed

SHOP = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
KINDS = {(r.api_version, r.kind): r for r in (CONFIGMAPS, SERVICES, ROLLOUTS, DEPLOYMENTS, NAMESPACES)}


def source_facts(
    files: dict[str, str], live: tuple[Manifest, ...] = (), entries: tuple[InventoryEntry, ...] = (), **more: Any
) -> SourceFacts:
    """What is known of a source that holds these files, may write the namespace `shop` and can read all of it."""
    known: dict[str, Any] = {"settings": SETTINGS, "autoscalers": {NAMESPACE: ()}, "namespaces": {NAMESPACE: SHOP}, "resources": KINDS}
    there = {place_of(manifest): manifest for manifest in live}
    tip = Tip("c0ffee", parsed(**files))
    return SourceFacts(tip=tip, live=there, **{"inventory": Inventory(entries=entries), **known, **more})


def applied(name: str, *, kind: str = "ConfigMap", source: str = "shop", **annotations: str) -> Manifest:
    """A live object that the source has applied."""
    marks = {"reconciler.dev/source": source, **annotations}
    namespace = {} if kind == "Namespace" else {"namespace": NAMESPACE}
    metadata = {"name": name, **namespace, "uid": f"uid-{name}", "resourceVersion": "1", "annotations": marks}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def entry_of(live: Manifest, file: str = "old.yaml") -> InventoryEntry:
    """The inventory's line about an object that was applied."""
    place: Place = place_of(live)
    return InventoryEntry(place, uid_of(live), file)
