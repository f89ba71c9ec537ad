"""Lists of objects: a table that may grow by a line per change, one document, or names."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask
from reconciler.app.cli.family import frozen_now
from reconciler.app.cli.output import age, cell, show_plain, table, widths_of
from reconciler.app.cli.watching import changes
from reconciler.kernel.frozen import Frozen
from reconciler.kube.client import Client
from reconciler.views.freeze import freeze_line

Cell = str | datetime | None
"""What stands in a column; a moment, or its absence, is shown as an age."""


@dataclass(frozen=True, slots=True)
class Row:
    """One object: its name for `-o name`, the document for machines, its cells, and those that only `-o wide` shows."""

    name: str
    document: dict[str, Any]
    cells: tuple[Cell, ...]
    more: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class ListCommand:
    """What a list command shows: the heads of its columns, and the question that finds the rows."""

    head: tuple[str, ...]
    more: tuple[str, ...]
    rows: Callable[[Client, ClusterPlace], Awaitable[Sequence[Row]]]


Listed = tuple[Sequence[Row], tuple[Frozen, ...]]


def show_listing(place: ClusterPlace, listing: ListCommand, *, watch: bool, output: str) -> None:
    """Print the list; with `watch`, stay and print each object again that changes."""

    async def listed(client: Client) -> Listed:
        return await listing.rows(client, place), await frozen_now(client)

    if watch:
        asyncio.run(_watch(place, listing, listed, output))
        return
    rows, frozen = ask(place, listed)
    warn_frozen(frozen, place)
    if output in ("json", "yaml"):
        show_plain([row.document for row in rows], output)
    elif output == "name":
        typer.echo("".join(f"{row.name}\n" for row in rows), nl=False)
    else:
        typer.echo("\n".join(table(_cells(listing, rows, wide=output == "wide"))))
        if not rows:
            typer.echo(f"nothing found in {f'namespace {place.namespace}' if place.namespace else 'any namespace'}", err=True)


def warn_frozen(frozen: Sequence[Frozen], place: ClusterPlace) -> None:
    """Say on stderr that a person froze something: what is listed does not move until it is let go."""
    if frozen:
        typer.echo(freeze_line(frozen, place.flags), err=True)


async def _watch(place: ClusterPlace, listing: ListCommand, listed: Callable[[Client], Awaitable[Listed]], output: str) -> None:
    before: dict[str, Row] = {}
    widths: tuple[int, ...] = ()
    told: tuple[Frozen, ...] = ()
    async for rows, frozen in changes(place, listed, lambda answer: ([row.document for row in answer[0]], answer[1])):
        if frozen != told:
            warn_frozen(frozen, place)
        told, now = frozen, {_key(row): row for row in rows}
        changed = [row for key, row in now.items() if before.get(key) != row]
        gone = [row for key, row in before.items() if key not in now]
        before = now
        if output in ("text", "wide"):
            cells = _cells(listing, changed, wide=output == "wide")
            typer.echo("\n".join(table(cells if not widths else cells[1:], widths or widths_of(cells))), nl=bool(changed or not widths))
            widths = widths or widths_of(cells)
        else:
            typer.echo("".join(f"{row.name if output == 'name' else json.dumps(row.document, default=str)}\n" for row in changed), nl=False)
        for row in gone:
            typer.echo(f"{row.name} is gone", err=True)


def _key(row: Row) -> str:
    return f"{row.document['namespace']}/{row.name}"


def _cells(listing: ListCommand, rows: Sequence[Row], *, wide: bool) -> list[tuple[str, ...]]:
    now = datetime.now(UTC)
    head = (*listing.head, *listing.more) if wide else listing.head
    return [head, *(tuple(_cell(part, now, wide) for part in (*row.cells, *(row.more if wide else ()))) for row in rows)]


def _cell(part: Cell, now: datetime, wide: bool) -> str:
    if isinstance(part, str):
        return cell(part, 1000) if wide else cell(part)
    return age(part, now)
