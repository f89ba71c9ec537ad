"""`reconciler source`: how sources stand, and what a person decides for a whole one."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.output import span
from reconciler.app.cli.show import HELP
from reconciler.app.cli.source_list import list_sources, show_source
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, labels_of, name_of, namespace_of
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.inventory import CONFIRMED, OPENED, BlockedPrune, config_map_name, parse_inventory
from reconciler.sync.drift.effective import SOURCE

For = Annotated[timedelta, typer.Option("--for", parser=span, metavar="DURATION", help="how long from now on (30m, 2h)")]
Name = Annotated[str, typer.Argument(help="the source's name in reconciler.yaml")]


def register(app: typer.Typer) -> None:
    """Add the `source` group."""
    group = typer.Typer(no_args_is_help=True, help="Look at sources, and decide what they wait for.", context_settings=HELP)
    group.callback()(lambda: None)
    group.command("list")(located(list_sources))
    group.command("show")(located(show_source))
    group.command("confirm")(located(confirm))
    group.command("open")(located(open_window))
    app.add_typer(group, name="source")


def confirm(place: ClusterPlace, name: Name) -> None:
    """Let the removals go that wait for a person: exactly those that are listed, not others that join them later.

    Example: reconciler source confirm shop
    """
    blocked = ask(place, lambda client: _confirm(client, name))
    typer.echo("\n".join((*(f"will be removed: {thing}" for thing in blocked.objects), f"{len(blocked.objects)} removals are confirmed")))


def open_window(place: ClusterPlace, name: Name, duration: For = timedelta(hours=1)) -> None:
    """Let a source be written for a while, whatever its sync windows say; 0s closes it again.

    Example: reconciler source open shop --for 30m
    """
    until = render_moment(datetime.now(UTC) + duration)
    ask(place, lambda client: _open(client, name, until if duration else None))
    typer.echo(f"source {name} may be written until {until}" if duration else f"source {name} is written as its windows say")


async def _open(client: Client, name: str, until: str | None) -> None:
    stored = await _inventory(client, name)
    kept_at = ObjectRef(CONFIGMAPS, namespace_of(stored), name_of(stored))
    await client.patch(kept_at, {"metadata": {"annotations": {OPENED: until}}})


async def _confirm(client: Client, name: str) -> BlockedPrune:
    """Mark the inventory with the digest of what waits. Raises Terminal when nothing does."""
    stored = await _inventory(client, name)
    blocked = parse_inventory(stored).blocked
    if blocked is None:
        raise Terminal(f"source {name}: no removal waits for a person")
    kept_at = ObjectRef(CONFIGMAPS, namespace_of(stored), name_of(stored))
    await client.patch(kept_at, {"metadata": {"annotations": {CONFIRMED: blocked.digest}}})
    return blocked


async def _inventory(client: Client, name: str) -> Manifest:
    """The ConfigMap of a source. Raises Terminal where there is none."""
    kept = await client.list(CONFIGMAPS, labels=f"{SOURCE}={name}")
    stored = next((one for one in kept if name_of(one) == config_map_name(name) and labels_of(one)[SOURCE] == name), None)
    if stored is None:
        raise Terminal(f"no source {name} has been followed in this cluster yet: its inventory {config_map_name(name)} is not there")
    return stored
