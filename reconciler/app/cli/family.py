"""Reads a Rollout with everything it owns, for the commands that show it."""

import asyncio

from reconciler.api.release import parse_releases
from reconciler.core.commands.tree import Family
from reconciler.core.release.holds import of_workload
from reconciler.kube.client import Client
from reconciler.kube.errors import NotFound, Refused
from reconciler.model.errors import Terminal
from reconciler.model.identity import Manifest, controller_uid, uid_of
from reconciler.model.release import Release
from reconciler.model.resources import ANALYSIS_RUNS, NAMESPACES, PODS, RELEASES, REPLICA_SETS, ROLLOUTS


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


async def releases_of(client: Client, namespace: str, name: str) -> list[Release]:
    """The releases of one workload, oldest first; none where the kind is not served."""
    try:
        manifests = await client.list(RELEASES, namespace)
    except NotFound:
        return []
    return of_workload(parse_releases(manifests), (namespace, "Rollout", name))
