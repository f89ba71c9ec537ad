"""Serves the console beside the daemon, where the settings ask for it."""

import asyncio

from reconciler.app.console.assembly import assembled
from reconciler.app.console.door import OpenDoor
from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.server import LOCAL, Entrance
from reconciler.app.endpoints import address_of
from reconciler.app.settings.model import ConsoleSettings
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.kube.client import Client
from reconciler.web.listener import listening

FIELD = "console.listen"
EVERYWHERE = ("0.0.0.0", "::")


async def serve_console(client: Client, clock: Clock, settings: ConsoleSettings, own: str) -> None:
    """Serve until cancelled; `own` is the namespace of the daemon. Raises Terminal when the address cannot be used."""
    host, port = address_of(settings.listen, FIELD)
    with assembled(client, clock, ConsoleScope(own=own), live=True, entrance=Entrance(names_of(host, settings.names), OpenDoor())) as parts:
        try:
            async with listening(parts.console.routes(), host, port):
                try:
                    await asyncio.Event().wait()
                finally:
                    parts.console.close()
        except OSError as error:
            raise Terminal(f"{FIELD}: {settings.listen} cannot be used: {reason_of(error)}; choose another address") from error


def names_of(host: str, configured: tuple[str, ...]) -> frozenset[str]:
    """By which names it may be called: this machine's, the address it listens on unless that is every one, and those in the settings."""
    own = () if host in EVERYWHERE else (f"[{host}]" if ":" in host else host.lower(),)
    return LOCAL.union(own, configured)
