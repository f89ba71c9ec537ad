"""Serves the console beside the daemon, where the settings ask for it."""

import asyncio
from dataclasses import replace

import httpx

from reconciler.app.console.assembly import assembled
from reconciler.app.console.door import ConsoleDoor, OpenDoor
from reconciler.app.console.login import CALLBACK, LoginDoor
from reconciler.app.console.openid import OpenId
from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.server import LOCAL, Entrance
from reconciler.app.endpoints import address_of
from reconciler.app.settings.model import ConsoleSettings
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.kube.transport import Transport
from reconciler.web.client import ClientSettings, open_client
from reconciler.web.listener import listening

FIELD = "console.listen"
EVERYWHERE = ("0.0.0.0", "::")


async def serve_console(transport: Transport, clock: Clock, settings: ConsoleSettings, own: str) -> None:
    """Serve until cancelled; `own` is the namespace of the daemon. Raises Terminal when the address cannot be used."""
    host, port = address_of(settings.listen, FIELD)
    async with open_client(ClientSettings(environment=True)) as http:
        entrance = Entrance(names_of(host, settings.names), door_of(transport, clock, settings, http))
        # A person's writes obey no lease: what they press is theirs, as on the command line.
        with assembled(Client(transport, Fence()), clock, ConsoleScope(own=own), live=True, entrance=entrance) as parts:
            try:
                async with listening(parts.console.routes(), host, port):
                    try:
                        await asyncio.Event().wait()
                    finally:
                        parts.console.close()
            except OSError as error:
                raise Terminal(f"{FIELD}: {settings.listen} cannot be used: {reason_of(error)}; choose another address") from error


def door_of(transport: Transport, clock: Clock, settings: ConsoleSettings, http: httpx.AsyncClient) -> ConsoleDoor:
    """Who is let in, as the settings say."""
    if settings.login is None:
        return OpenDoor()
    asked = settings.login.openid
    openid = OpenId(asked, f"{settings.url}{CALLBACK}", http, clock) if asked is not None else None
    return LoginDoor(transport, clock, settings, openid)


def looking_only(settings: ConsoleSettings) -> ConsoleSettings:
    """The settings of a daemon that only reads: every role may look, none may press."""
    if settings.login is None:
        return settings
    roles = tuple(replace(one, role="viewer") for one in settings.login.roles)
    return replace(settings, login=replace(settings.login, roles=roles))


def names_of(host: str, configured: tuple[str, ...]) -> frozenset[str]:
    """By which names it may be called: this machine's, the address it listens on unless that is every one, and those in the settings."""
    own = () if host in EVERYWHERE else (f"[{host}]" if ":" in host else host.lower(),)
    return LOCAL.union(own, configured)
