"""Reads a Rollout with everything it owns, for the commands that show it."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.app.cli.cluster import ClusterPlace
from reconciler.kernel.errors import MISSHAPEN, Terminal, Transient
from reconciler.kernel.frozen import Frozen, frozen_in
from reconciler.kernel.identity import Manifest, annotations_of, controller_uid, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.resources import (
    ANALYSIS_RUNS,
    CONFIGMAPS,
    DEPLOYMENTS,
    EXPERIMENTS,
    NAMESPACES,
    PODS,
    RELEASES,
    REPLICA_SETS,
    ROLLOUTS,
)
from reconciler.kube.client import Client
from reconciler.kube.errors import NotServed, Refused
from reconciler.releases.holds import of_workload
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release
from reconciler.sources.inventory import Inventory, config_map_name, parse_inventory, workload_key
from reconciler.sync.drift.effective import SOURCE
from reconciler.views.freeze import OWN_NAMESPACE
from reconciler.views.rollouts import unreadable
from reconciler.views.tree import Family, facts, tree
from reconciler.views.why.absence import Absence

PROBLEMS_SHOWN = 10


async def rollout_of(client: Client, place: ClusterPlace, name: str) -> Manifest:
    """The Rollout. Raises Terminal with what to do when there is none."""
    found = await client.find(ROLLOUTS, place.namespace, name)
    if found is None:
        elsewhere = await _elsewhere(client, name)
        hint = f"there is one in {elsewhere}: add -n {elsewhere}" if elsewhere else f"list them with: {_listing(place)}"
        raise Terminal(f"no Rollout {place.namespace}/{name}: {hint}")
    return found


def _listing(place: ClusterPlace) -> str:
    return f"reconciler list rollouts -n {place.namespace}{place.flags}"


async def _elsewhere(client: Client, name: str) -> str:
    """A namespace that has a Rollout of this name, as far as this person may look."""
    try:
        found = await client.list(ROLLOUTS, fields=f"metadata.name={name}")
    except (Refused, Transient):
        return ""
    return next((namespace_of(rollout) for rollout in found if name_of(rollout) == name), "")


@contextmanager
def readable(rollout: Manifest) -> Iterator[None]:
    """What is read of a Rollout in here raises Terminal where that does not have the shape of one."""
    try:
        yield
    except MISSHAPEN as error:
        raise Terminal(f"{namespace_of(rollout)}/{name_of(rollout)}: {unreadable(error)}") from error


async def family_of(client: Client, place: ClusterPlace, name: str) -> Family:
    """A Rollout and what it owns, read side by side. Raises Terminal where it cannot be shown."""
    rollout, namespace = await rollout_of(client, place, name), place.namespace
    sets, runs, pods, trials = await asyncio.gather(
        client.list(REPLICA_SETS, namespace),
        client.list(ANALYSIS_RUNS, namespace),
        client.list(PODS, namespace),
        _experiments(client, namespace),
    )
    own, trials = uid_of(rollout), [trial for trial in trials if controller_uid(trial) == uid_of(rollout)]
    tried = {uid_of(trial) for trial in trials}
    known = {uid_of(rs) for rs in sets if controller_uid(rs) in {own, *tried}}
    family = Family(
        rollout=rollout,
        replica_sets=[rs for rs in sets if controller_uid(rs) == own],
        pods=[pod for pod in pods if controller_uid(pod) in known],
        runs=[run for run in runs if controller_uid(run) == own],
        namespace=await _namespace(client, namespace),
        experiments=trials,
        tried=[rs for rs in sets if controller_uid(rs) in tried],
        tried_runs=[run for run in runs if controller_uid(run) in tried],
    )
    with readable(rollout):
        facts(family)
        tree(family)
    return family


async def _experiments(client: Client, namespace: str) -> list[Manifest]:
    """None where the kind is not served, or this person may not look."""
    try:
        return await client.list(EXPERIMENTS, namespace)
    except (NotServed, Refused):
        return []


async def frozen_now(client: Client) -> tuple[Frozen, ...]:
    """What a person froze, in whatever namespace a daemon of ours lives; nothing where this person may not look."""
    try:
        namespaces = await client.list(NAMESPACES)
    except Refused:
        own = await _namespace(client, OWN_NAMESPACE)
        namespaces = [own] if own is not None else []
    return tuple(part for namespace in namespaces for part in frozen_in(namespace))


async def absence_of(client: Client, place: ClusterPlace, name: str) -> Absence:
    """Everything that speaks of a Rollout which is not there."""
    releases = await releases_of(client, place.namespace, name)
    asked = workload_key(place.namespace, "Rollout", name)
    inventories = await _inventories(client, None)
    return Absence(
        namespace=place.namespace,
        name=name,
        problems=await problems_of(client, name, None),
        asked_by=next((source for source, inventory in inventories.items() if asked in inventory.workloads), ""),
        release=releases[-1] if releases else None,
        deployed=await _deployed(client, place.namespace, name),
        frozen=await frozen_now(client),
        flags=place.flags,
    )


async def _deployed(client: Client, namespace: str, name: str) -> bool:
    try:
        return await client.find(DEPLOYMENTS, namespace, name) is not None
    except (Refused, NotServed):
        return False


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
    told = [f"source {known}: {words}" for known, inventory in found.items() for words in _troubles(inventory)]
    named = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    return tuple(problem for problem in told if rollout is not None or named.search(problem))[:PROBLEMS_SHOWN]


def _troubles(inventory: Inventory) -> tuple[str, ...]:
    """What is wrong with a source, and what it waits for before people are told."""
    waiting = (str(inventory.wave),) if inventory.wave is not None and not inventory.wave.told else ()
    return (*map(str, inventory.problems), *map(str, filter(None, (inventory.closed,))), *waiting)


async def seen_by(client: Client, rollout: Manifest) -> Inventory:
    """What the source of a Rollout saw last: its commit, and what it asks of each workload; nothing where no source applies it."""
    source = annotations_of(rollout).get(SOURCE, "")
    return (await _inventories(client, source)).get(source, Inventory()) if source else Inventory()


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
