"""`reconciler diff`: what Git's files ask for beside what lives, field by field; what runtime owns is left out."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.family import frozen_now
from reconciler.app.cli.files import manifests_at
from reconciler.app.cli.output import Output, show_plain
from reconciler.app.cli.tables import warn_frozen
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.resources import AUTOSCALERS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.discovery import Discovery
from reconciler.kube.errors import NotServed
from reconciler.routers.registry import ROUTERS
from reconciler.sources.documents import Located
from reconciler.sync.carry import RuntimeOwned, carry_over
from reconciler.sync.diff import LiveDifference, differences
from reconciler.sync.owned import runtime_owned


@dataclass(frozen=True, slots=True)
class ObjectDiff:
    """One object that lives otherwise than Git asks; `missing` when it does not live at all."""

    object: str
    file: str
    line: int
    missing: bool
    fields: tuple[LiveDifference, ...]


def register(app: typer.Typer) -> None:
    """Add `diff`."""
    app.command("diff")(located(diff))


def diff(
    place: ClusterPlace,
    files: Annotated[list[Path], typer.Argument(help="manifest files or folders, as they are in Git")],
    output: Output = "text",
) -> None:
    """Compare manifests with the cluster. Exit code 1 when anything differs.

    Example: reconciler diff environments/demo/storefront
    """
    manifests = manifests_at(files).manifests
    found, frozen = ask(place, lambda client: _compared(client, place, manifests))
    warn_frozen(frozen, place)
    if output != "text":
        show_plain([asdict(entry) for entry in found], output)
    else:
        typer.echo("\n".join(_text(found)) if found else "no differences")
    if found:
        raise typer.Exit(1)


async def _compared(client: Client, place: ClusterPlace, manifests: Iterable[Located]) -> tuple[list[ObjectDiff], tuple[Frozen, ...]]:
    return await _compare(client, place, manifests), await frozen_now(client)


async def _compare(client: Client, place: ClusterPlace, manifests: Iterable[Located]) -> list[ObjectDiff]:
    """Each manifest beside what lives; one that names no namespace is looked for in that of the command, as kubectl does."""
    discovery, found = Discovery(client), []
    owned = await _owned(client)
    for asked in manifests:
        resource = await discovery.resource_of(asked.manifest)
        home = (namespace_of(asked.manifest) or place.namespace) if resource.namespaced else ""
        live = await client.find(resource, home, name_of(asked.manifest))
        entry = _entry(asked, live, owned)
        if entry is not None:
            found.append(entry)
    return found


def _entry(located: Located, live: Manifest | None, owned: RuntimeOwned) -> ObjectDiff | None:
    manifest = located.manifest
    name = f"{manifest['kind']} {namespace_of(manifest)}/{name_of(manifest)}"
    if live is None:
        return ObjectDiff(name, located.file, located.line, True, ())
    fields = differences(carry_over(manifest, live, owned), live)
    return ObjectDiff(name, located.file, located.line, False, fields) if fields else None


async def _owned(client: Client) -> RuntimeOwned:
    return runtime_owned(await _all(client, ROLLOUTS), await _all(client, AUTOSCALERS), ROUTERS)


async def _all(client: Client, resource: Any) -> list[Manifest]:
    try:
        return await client.list(resource)
    except NotServed:
        return []


def _text(found: list[ObjectDiff]) -> Iterable[str]:
    for entry in found:
        yield f"{entry.object}  ({entry.file}:{entry.line})" + ("  is not in the cluster" if entry.missing else "")
        for field in entry.fields:
            yield f"  {field.field}"
            yield f"    - live  {field.live}"
            yield f"    + Git   {field.desired}"
