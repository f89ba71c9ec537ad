"""Reads a Rollout with everything it owns, for the commands that show it."""

import asyncio
import re

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, annotations_of, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, CONFIGMAPS, NAMESPACES, PODS, RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.errors import NotServed, Refused
from reconciler.releases.holds import of_workload
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release
from reconciler.sources.inventory import Inventory, config_map_name, parse_inventory, workload_key
from reconciler.sync.effective import SOURCE
from reconciler.views.tree import Family

PROBLEMS_SHOWN = 10


async def rollout_of(client: Client, namespace: str, name: str) -> Manifest:
    """The Rollout. Raises Terminal with what to do when there is none."""
    found = await client.find(ROLLOUTS, namespace, name)
    if found is None:
        raise Terminal(f"no Rollout {namespace}/{name}: list them with: reconciler list rollouts -n {namespace}")
    return found


async def family_of(client: Client, namespace: str, name: str) -> Family:
    """A Rollout and what it owns, read side by side."""
    rollout = await rollout_of(client, namespace, name)
    sets, runs, pods = await asyncio.gather(
        client.list(REPLICA_SETS, namespace), client.list(ANALYSIS_RUNS, namespace), client.list(PODS, namespace)
    )
    own = uid_of(rollout)
    mine = [rs for rs in sets if controller_uid(rs) == own]
    uids = {uid_of(rs) for rs in mine}
    own_runs = [r for r in runs if controller_uid(r) == own]
    return Family(rollout, mine, [p for p in pods if controller_uid(p) in uids], own_runs, await _namespace(client, namespace))


async def _namespace(client: Client, name: str) -> Manifest | None:
    """The Namespace, if this person may read it."""
    try:
        return await client.find(NAMESPACES, "", name)
    except Refused:
        return None


async def asked_identity(client: Client, rollout: Manifest) -> str:
    """The identity that Git asks for now: from its source's inventory, else from the newest release; empty if no source applies it."""
    source = annotations_of(rollout).get(SOURCE)
    if not source:
        return ""
    namespace, name = namespace_of(rollout), name_of(rollout)
    releases = await releases_of(client, namespace, name)
    asked = await _inventoried(client, source, workload_key(namespace, "Rollout", name))
    return asked or (releases[-1].spec.identity if releases else "")


async def problems_of(client: Client, name: str, rollout: Manifest | None) -> tuple[str, ...]:
    """What is wrong with the source of a rollout; where there is no rollout, whatever any source says of that name."""
    source = annotations_of(rollout).get(SOURCE) if rollout is not None else None
    if rollout is not None and source is None:
        return ()
    found = await _inventories(client, source)
    told = [f"source {known}: {problem}" for known, inventory in found.items() for problem in inventory.problems]
    named = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    return tuple(problem for problem in told if rollout is not None or named.search(problem))[:PROBLEMS_SHOWN]


async def _inventoried(client: Client, source: str, workload: str) -> str:
    found = await _inventories(client, source)
    return found[source].workloads.get(workload, "") if source in found else ""


async def _inventories(client: Client, source: str | None) -> dict[str, Inventory]:
    """By source; of every source when none is named. Without the right to read the namespace where they are kept: none."""
    try:
        kept = await client.list(CONFIGMAPS, labels=f"{SOURCE}={source}" if source else SOURCE)
    except Refused:
        return {}
    named = [(labels_of(manifest)[SOURCE], manifest) for manifest in kept]
    return {known: parse_inventory(manifest) for known, manifest in named if name_of(manifest) == config_map_name(known)}


async def releases_of(client: Client, namespace: str, name: str) -> list[Release]:
    """The releases of one workload, oldest first; none where the kind is not served."""
    try:
        manifests = await client.list(RELEASES, namespace)
    except NotServed:
        return []
    return of_workload(parse_releases(manifests), (namespace, "Rollout", name))
