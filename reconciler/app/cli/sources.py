"""`reconciler source`: what a person decides for a whole source."""

from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.show import HELP
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import ObjectRef, labels_of, name_of, namespace_of
from reconciler.kernel.resources import CONFIGMAPS
from reconciler.kube.client import Client
from reconciler.sources.inventory import CONFIRMED, BlockedPrune, config_map_name, parse_inventory
from reconciler.sync.effective import SOURCE

Name = Annotated[str, typer.Argument(help="the source's name in reconciler.yaml")]


def register(app: typer.Typer) -> None:
    """Add the `source` group."""
    group = typer.Typer(no_args_is_help=True, help="Decide what a source waits for.", context_settings=HELP)
    group.callback()(lambda: None)
    group.command("confirm")(located(confirm))
    app.add_typer(group, name="source")


def confirm(place: ClusterPlace, name: Name) -> None:
    """Let the removals go that wait for a person: exactly those that are listed, not others that join them later.

    Example: reconciler source confirm shop
    """
    blocked = ask(place, lambda client: _confirm(client, name))
    typer.echo("\n".join((*(f"will be removed: {thing}" for thing in blocked.objects), f"{len(blocked.objects)} removals are confirmed")))


async def _confirm(client: Client, name: str) -> BlockedPrune:
    """Mark the inventory with the digest of what waits. Raises Terminal when nothing does."""
    kept = await client.list(CONFIGMAPS, labels=f"{SOURCE}={name}")
    stored = next((one for one in kept if name_of(one) == config_map_name(name) and labels_of(one)[SOURCE] == name), None)
    if stored is None:
        raise Terminal(f"no source {name} has been followed in this cluster yet: its inventory {config_map_name(name)} is not there")
    blocked = parse_inventory(stored).blocked
    if blocked is None:
        raise Terminal(f"source {name}: no removal waits for a person")
    kept_at = ObjectRef(CONFIGMAPS, namespace_of(stored), name_of(stored))
    await client.patch(kept_at, {"metadata": {"annotations": {CONFIRMED: blocked.digest}}})
    return blocked
