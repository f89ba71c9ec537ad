"""`reconciler doctor`: how another tool applies a Rollout, and what both sides need for a companion beside it."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
import yaml

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.completion import rollout_names
from reconciler.app.cli.family import rollout_of
from reconciler.app.cli.output import Output, clean, show_plain
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, controller_of, name_of, namespace_of
from reconciler.kernel.resources import AUTOSCALERS, DEPLOYMENTS, ROLLOUTS, SERVICES
from reconciler.kube.client import Client
from reconciler.kube.errors import Forbidden, NotServed
from reconciler.rollouts.traffic.leading import beyond
from reconciler.rollouts.traffic.named import routed_refs, services_of
from reconciler.routers.registry import ROUTERS
from reconciler.views.companion.appliers import (
    APPLICATIONS,
    FLUX,
    GIT_REPOSITORIES,
    Applier,
    Tracker,
    application_of,
    mapping,
    trackers,
)
from reconciler.views.companion.argo_applications import ArgoBeside, argo_applier
from reconciler.views.companion.flux_appliers import flux_applier, repository_of
from reconciler.views.view import plain

Names = Annotated[list[str] | None, typer.Argument(help="Rollouts; default: all of the namespace", autocompletion=rollout_names)]
UNKNOWN = "nothing of it is known here; if the tool runs in another cluster, name that one with --context, and see docs/companion.md"


def register(app: typer.Typer) -> None:
    """Add `doctor`."""
    app.command("doctor")(located(doctor))


def doctor(place: ClusterPlace, names: Names = None, output: Output = "text") -> None:
    """Say how Argo CD or Flux applies Rollouts: the source to follow, what to ignore, and what a restore cannot reach.

    The object that applies each is found from the Rollout itself. Printed for it: a source for `reconciler.yaml`, the fields that it has to
    leave to the rollout controller (`ignoreDifferences`, Flux `spec.ignore`), whether a hold can hold, and what stands in no file of Git.
    Nothing is written. Exit code 1 where a restore in Git would not be enough.

    Example: reconciler doctor storefront -n shop
    """
    found = ask(place, lambda client: _examined(client, place, names or ()))
    if output != "text":
        show_plain([plain(one) for one in found], output)
    else:
        typer.echo("\n\n".join("\n".join(_text(one)) for one in found) or f"no Rollout in {place.namespace}")
    if any(one.problems for one in found):
        raise typer.Exit(1)


async def _examined(client: Client, place: ClusterPlace, names: Sequence[str]) -> list[Applier]:
    chosen = [await rollout_of(client, place, name) for name in names] if names else await client.list(ROLLOUTS, place.namespace)
    return [await _applier(client, rollout) for rollout in chosen]


async def _applier(client: Client, rollout: Manifest) -> Applier:
    """How one Rollout is applied, by the first of its marks that leads somewhere."""
    marks = trackers(rollout)
    for mark in marks:
        found = await _through(client, rollout, mark)
        if found is not None:
            return found
    words = f"it says that {marks[0]} applies it, and there is none: {UNKNOWN}" if marks else "no mark of Argo CD or Flux is on it"
    return Applier(workload=f"Rollout {namespace_of(rollout)}/{name_of(rollout)}", applied_by="", problems=(words,))


async def _through(client: Client, rollout: Manifest, mark: Tracker) -> Applier | None:
    if mark.kind == APPLICATIONS.kind:
        application = application_of(mark, rollout, await _all(client, APPLICATIONS, mark.namespace))
        return argo_applier(rollout, application, await _beside(client, rollout)) if application is not None else None
    resource = next(one for one in FLUX if one.kind == mark.kind)
    applier = await _one(client, ObjectRef(resource, mark.namespace, mark.name))
    if applier is None:
        return None
    behind = repository_of(applier)
    known = behind.kind == GIT_REPOSITORIES.kind
    repository = await _one(client, ObjectRef(GIT_REPOSITORIES, behind.namespace, behind.name)) if known else None
    return flux_applier(rollout, applier, repository, await _beside(client, rollout))


async def _beside(client: Client, rollout: Manifest) -> ArgoBeside:
    """The live objects that others apply and the rollout controller writes into; what it has made itself stands in no file."""
    namespace, services = namespace_of(rollout), services_of(rollout)
    blue = mapping(mapping(mapping(rollout.get("spec")).get("strategy")).get("blueGreen"))
    named = (services.canary, services.stable, services.ping, services.pong, blue.get("activeService"), blue.get("previewService"))
    refs = [*routed_refs(ROUTERS, rollout), *(ObjectRef(SERVICES, namespace, str(name)) for name in dict.fromkeys(named) if name)]
    live = {ref: await _one(client, ref) for ref in dict.fromkeys(refs)}
    behind = [ref for router in ROUTERS.values() for ref in beyond(router, live)]
    found = [*live.values(), *[await _one(client, ref) for ref in dict.fromkeys(behind)]]
    scaled = await _scaled(client, rollout)
    kept = [one for one in (*found, *scaled) if one is not None and controller_of(one) is None]
    return ArgoBeside(tuple(kept), services.managed_routes)


async def _scaled(client: Client, rollout: Manifest) -> list[Manifest | None]:
    """The Rollout where an autoscaler scales it, and the Deployment whose template it borrows."""
    lender = mapping(mapping(rollout.get("spec")).get("workloadRef"))
    found: list[Manifest | None] = []
    for autoscaler in await _all(client, AUTOSCALERS, namespace_of(rollout)):
        target = mapping(mapping(autoscaler.get("spec")).get("scaleTargetRef"))
        found += [rollout] if (target.get("kind"), target.get("name")) == (ROLLOUTS.kind, name_of(rollout)) else []
    if lender.get("kind") == DEPLOYMENTS.kind:
        found.append(await _one(client, ObjectRef(DEPLOYMENTS, namespace_of(rollout), str(lender.get("name")))))
    return found


async def _one(client: Client, ref: ObjectRef) -> Manifest | None:
    """An object; None where it, or its kind, is not there. Raises Terminal for one that may not be read."""
    try:
        found = await client.find(ref.resource, ref.namespace, ref.name)
    except NotServed:
        return None
    except Forbidden as error:
        raise Terminal(f"{ref} cannot be read: {error.message}; doctor needs get and list on {ref.resource.plural}") from error
    return found


async def _all(client: Client, resource: Resource, namespace: str) -> list[Manifest]:
    try:
        return await client.list(resource, namespace)
    except NotServed:
        return []
    except Forbidden as error:
        raise Terminal(f"{resource.plural} cannot be listed: {error.message}; doctor needs get and list on them") from error


def _text(one: Applier) -> Iterable[str]:
    yield clean(f"{one.workload} is applied by {one.applied_by}") if one.applied_by else one.workload
    if one.repository:
        yield f"  follows  {clean(one.repository)}  {clean(one.branch)}  {clean(one.path)}"
    yield from (f"  problem: {clean(problem)}" for problem in one.problems)
    yield from (f"  note: {clean(note)}" for note in one.notes)
    if one.source:
        yield from ("  a source for reconciler.yaml:", *_indented({"sources": [one.source]}))
    if one.ignore:
        yield from (f"  for the spec of {clean(one.applied_by.partition(',')[0])}:", *_indented(one.ignore))
    elif one.applied_by:
        yield "  it leaves to the rollout controller what that writes"


def _indented(value: Any) -> list[str]:
    return [f"    {line}" for line in yaml.safe_dump(value, sort_keys=False, allow_unicode=False, width=140).splitlines()]
