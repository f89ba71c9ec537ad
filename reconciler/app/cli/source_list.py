"""`reconciler source list` and `show`: how sources stand, what is wrong with them, and what others have changed of their objects."""

from collections.abc import Iterator
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask
from reconciler.app.cli.family import frozen_now
from reconciler.app.cli.output import Output, cell, clean, show_plain, table
from reconciler.app.cli.tables import warn_frozen
from reconciler.kernel.errors import Terminal
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import labels_of, name_of, namespace_of
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.inventory import config_map_name, parse_inventory
from reconciler.sync.drift.effective import SOURCE
from reconciler.views.sources import SourceStanding, source_standing
from reconciler.views.view import plain

HEAD = ("NAME", "COMMIT", "OBJECTS", "DRIFTED", "PROBLEMS", "WAITS-FOR")
Name = Annotated[str, typer.Argument(help="the source's name in reconciler.yaml")]


def list_sources(place: ClusterPlace, output: Output = "text") -> None:
    """List sources: the commit each is at, how many of its objects others have changed, and what it waits for.

    Example: reconciler source list
    """
    found = _looked_at(place)
    if output != "text":
        show_plain([plain(one) for one in found], output)
        return
    rows = [HEAD, *map(_row, found)]
    typer.echo("\n".join(table(rows)) if found else "no source has been followed in this cluster yet")


def show_source(place: ClusterPlace, name: Name, output: Output = "text") -> None:
    """Show one source: its problems, the fields that others have changed, and what waits for a person.

    Exit code 1 when something is wrong with it.

    Example: reconciler source show shop
    """
    found = next((one for one in _looked_at(place) if one.name == name), None)
    if found is None:
        raise Terminal(f"no source {name} has been followed in this cluster yet")
    if output != "text":
        show_plain(plain(found), output)
    else:
        typer.echo("\n".join(map(clean, _lines(found))))
    if found.problems:
        raise typer.Exit(1)


def _looked_at(place: ClusterPlace) -> list[SourceStanding]:
    found, frozen = ask(place, _seen)
    warn_frozen(frozen, place)
    return found


async def _seen(client: Client) -> tuple[list[SourceStanding], tuple[Frozen, ...]]:
    return await _standings(client), await frozen_now(client)


async def _standings(client: Client) -> list[SourceStanding]:
    """Every source that has an inventory in this cluster, by name."""
    kept = await client.list(CONFIGMAPS, labels=SOURCE)
    named = sorted((labels_of(one)[SOURCE], one) for one in kept if name_of(one) == config_map_name(labels_of(one)[SOURCE]))
    return [source_standing(name, namespace_of(one), parse_inventory(one), {}) for name, one in named]


def _row(found: SourceStanding) -> tuple[str, ...]:
    counted = (str(len(found.objects)), str(found.drifted), str(len(found.problems)))
    return (cell(found.name), cell(found.commit[:12]), *counted, cell(found.waits or ("a person" if found.removals else "")))


def _lines(found: SourceStanding) -> Iterator[str]:
    rendered = f", rendered by {found.renderer}" if found.renderer else ""
    yield f"{found.name} at {found.commit[:12] or 'no commit yet'}: {len(found.objects)} objects, {found.workloads} workloads{rendered}"
    for problem in found.problems:
        place = f"{problem.file}:{problem.line}: " if problem.file else ""
        yield f"  problem: {place}{problem.message}{f'; {problem.remedy}' if problem.remedy else ''}"
    for drift in found.drifts:
        for field in drift.fields:
            yield f"  drift: {drift.object} {field.field} {f'by {field.by}' if field.by else 'removed'}, since {field.since}"
    if found.waits:
        yield f"  waits: {found.waits}"
    for thing in found.removals:
        yield f"  removal waits: {thing}"
    if found.confirm:
        yield f"  to remove these: {found.confirm}"
