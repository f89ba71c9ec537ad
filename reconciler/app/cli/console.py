"""`reconciler console`: releases to look at and to steer in a browser, with the person's own rights."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, cluster, located_anywhere
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of

if TYPE_CHECKING:
    from reconciler.app.console.pages import ConsoleScope

HOST = "127.0.0.1"
Port = Annotated[int, typer.Option("-p", "--port", min=0, max=65535, help="the port on this machine; 0: any that is free")]
Export = Annotated[Path | None, typer.Option("--export", metavar="DIR", help="write the pages as files into a folder, and end")]


def register(app: typer.Typer) -> None:
    """Add `console`."""
    app.command("console")(located_anywhere(console))


def console(place: ClusterPlace, port: Port = 8091, export: Export = None) -> None:
    """Show releases in a browser: what moved, where traffic is, what was measured, what comes next. Verbs are pressed with your own rights.

    Example: reconciler console -A
    Example: reconciler console -n shop --export post-mortem
    """
    if export is not None:
        asyncio.run(_export(place, export))
    else:
        asyncio.run(_serve(place, port))


async def _serve(place: ClusterPlace, port: int) -> None:
    from reconciler.app.console.assembly import assembled
    from reconciler.app.console.door import KeyDoor
    from reconciler.app.console.server import LOCAL, Entrance
    from reconciler.web.listener import listening

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with cluster(place) as client:
        door = KeyDoor(client, SystemClock())
        with assembled(client, SystemClock(), scope_of(place), live=True, entrance=Entrance(LOCAL, door)) as parts:
            try:
                async with listening(parts.console.routes(), HOST, port) as address:
                    typer.echo(f"the console is at {address}/ (ends with Ctrl-C)")
                    typer.echo(f"to press verbs in it, open this once: {address}/enter?key={door.key}")
                    await stopping.wait()
                    parts.console.close()
            except OSError as error:
                raise Terminal(f"port {port} cannot be used: {reason_of(error)}; choose another one with --port") from error


async def _export(place: ClusterPlace, folder: Path) -> None:
    from reconciler.app.console.assembly import assembled
    from reconciler.app.console.export import export

    async with cluster(place) as client:
        with assembled(client, SystemClock(), scope_of(place), live=False) as parts:
            written = await export(parts.pages, parts.renderer, SystemClock(), folder)
    typer.echo(f"{written} pages are in {folder}: open {folder / 'index.html'}")


def scope_of(place: ClusterPlace) -> "ConsoleScope":
    """What is shown, and what the pages call the cluster: its context, as kubectl names it."""
    from reconciler.app.console.pages import ConsoleScope
    from reconciler.kube.config import context_name

    return ConsoleScope(place.namespace, place.context or context_name(place.kubeconfig or None), place.flags)
