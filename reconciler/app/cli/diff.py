"""`reconciler diff`: what Git's files ask for beside what lives, field by field; what runtime owns is left out."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.configured import Names, Settings, configured
from reconciler.app.cli.family import frozen_now
from reconciler.app.cli.offline.files import manifests_at, options_of
from reconciler.app.cli.output import Output, show_plain
from reconciler.app.cli.tables import warn_frozen
from reconciler.app.router_plugins import installed
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest, Resource, name_of, namespace_of
from reconciler.kernel.resources import AUTOSCALERS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.discovery import Discovery, not_served
from reconciler.kube.errors import NotServed
from reconciler.rollouts.traffic.leading import leading_kinds
from reconciler.sources.documents import Located
from reconciler.sources.model import HIDDEN
from reconciler.sources.permission import described, misnamed, no_namespace
from reconciler.sources.sealed import HOLDERS
from reconciler.sync.drift.carry import RuntimeOwned, carry_over
from reconciler.sync.drift.diff import LiveDifference, differences
from reconciler.sync.drift.effective import as_stored
from reconciler.sync.drift.owned import runtime_owned
from reconciler.sync.drift.ownership import LostField, foreign_fields
from reconciler.sync.facts import located_in


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """One object that lives otherwise than Git asks; `missing` when it does not live at all."""

    object: str
    file: str
    line: int
    missing: bool
    fields: tuple[LiveDifference, ...]
    problem: str = ""
    """Why it cannot be compared, in the words of the sync."""


def register(app: typer.Typer) -> None:
    """Add `diff`."""
    app.command("diff")(located(diff))


def diff(
    place: ClusterPlace,
    files: Annotated[list[Path], typer.Argument(help="manifest files or folders, as they are in Git")],
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help="a glob of files to leave out, as in `exclude`")] = None,
    config: Settings = None,
    names: Names = None,
    output: Output = "text",
) -> None:
    """Compare manifests with the cluster. Exit code 1 when anything differs, 3 when something cannot be compared.

    A folder with a kustomization or a Helm chart is rendered first, with -c as the source says that follows it.

    Example: reconciler diff environments/demo/storefront
    Example: reconciler diff charts/shop -c reconciler.yaml --source shop-production
    """
    manifests = manifests_at(files, options_of(place.namespace, exclude or ()), configured(config, names)).manifests
    found, frozen = ask(place, lambda client: _looked_at(client, manifests))
    warn_frozen(frozen, place)
    if output != "text":
        show_plain([asdict(entry) for entry in found], output)
    else:
        typer.echo("\n".join(_text(found)) if found else "no differences")
    refused = [entry for entry in found if entry.problem]
    for entry in refused:
        typer.echo(f"{entry.file}:{entry.line}: {entry.problem}", err=True)
    if found:
        raise typer.Exit(3 if refused else 1)


@dataclass(frozen=True, slots=True)
class RuntimeOwners:
    """Who owns what while it runs: the same for all objects, but for one that Rollouts do not name and only lead to."""

    rollouts: tuple[Manifest, ...]
    common: RuntimeOwned

    def of(self, resource: Resource, live: Manifest | None) -> RuntimeOwned:
        """Who is in charge of this object."""
        if live is None or resource not in leading_kinds(installed()):
            return self.common
        return runtime_owned(self.rollouts, (), installed(), [live])


async def _looked_at(client: Client, manifests: Iterable[Located]) -> tuple[list[ObjectDiff], tuple[Frozen, ...]]:
    return await _compare(client, manifests), await frozen_now(client)


async def _compare(client: Client, manifests: Iterable[Located]) -> list[ObjectDiff]:
    discovery, found = Discovery(client), []
    owners = await _owners(client)
    known = list(manifests)
    resources = await discovery.resources_of((str(one.manifest["apiVersion"]), str(one.manifest["kind"])) for one in known)
    for asked in known:
        resource = resources.get((str(asked.manifest["apiVersion"]), str(asked.manifest["kind"])))
        entry = await _compared(client, asked, resource, owners)
        if entry is not None:
            found.append(entry)
    return found


async def _compared(client: Client, located: Located, resource: Resource | None, owners: RuntimeOwners) -> ObjectDiff | None:
    manifest = as_stored(located_in(located.manifest, resource))
    if resource is None:
        return _refused(located, not_served(str(manifest["apiVersion"]), str(manifest["kind"])))
    refused = misnamed(manifest) or (no_namespace(manifest) if resource.namespaced and not namespace_of(manifest) else None)
    if refused is not None:
        return _refused(located, str(refused))
    try:
        live = await client.find_owned(resource, namespace_of(manifest), name_of(manifest))
    except NotServed:
        return _refused(located, not_served(resource.api_version, resource.kind))
    return _entry(replace(located, manifest=manifest), live, owners.of(resource, live))


def _refused(located: Located, words: str) -> ObjectDiff:
    return ObjectDiff(described(located.manifest), located.file, located.line, False, (), words)


def _entry(located: Located, live: Manifest | None, owned: RuntimeOwned) -> ObjectDiff | None:
    manifest = located.manifest
    name = described(manifest)
    if live is None:
        return ObjectDiff(name, located.file, located.line, True, ())
    carried = carry_over(manifest, live, owned)
    changed = {lost.name: lost for lost in foreign_fields(carried, live)}
    told = (_hidden(one) if located.key[0] == "Secret" else one for one in differences(carried, live))
    fields = tuple(_by(one, changed.get(one.field)) for one in told)
    return ObjectDiff(name, located.file, located.line, False, fields) if fields else None


def _hidden(difference: LiveDifference) -> LiveDifference:
    """The same without what a Secret holds: output of a pipeline is read by many."""
    return replace(difference, desired=HIDDEN, live=HIDDEN) if difference.field.startswith(HOLDERS) else difference


def _by(difference: LiveDifference, lost: LostField | None) -> LiveDifference:
    """With who has changed the field, where the server tells."""
    return difference if lost is None else replace(difference, by=lost.manager, since=lost.since)


async def _owners(client: Client) -> RuntimeOwners:
    rollouts, autoscalers = await _all(client, ROLLOUTS), await _all(client, AUTOSCALERS)
    return RuntimeOwners(tuple(rollouts), runtime_owned(rollouts, autoscalers, installed()))


async def _all(client: Client, resource: Any) -> list[Manifest]:
    try:
        return await client.list(resource)
    except NotServed:
        return []


def _text(found: list[ObjectDiff]) -> Iterable[str]:
    for entry in found:
        if not entry.problem:
            yield f"{entry.object}  ({entry.file}:{entry.line})" + ("  is not in the cluster" if entry.missing else "")
        for field in entry.fields:
            yield f"  {field.field}{f'  (last written by {field.by}, since {field.since})' if field.since else ''}"
            yield f"    - live  {field.live}"
            yield f"    + Git   {field.desired}"
