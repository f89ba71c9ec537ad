"""The console beside a rehearsal that stays up: the daemon's own pages on a port of this machine, and the key to press verbs in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from reconciler.app.console.assembly import assembled
from reconciler.app.console.door import KeyDoor
from reconciler.app.console.pages import ConsoleScope
from reconciler.app.console.server import LOCAL, Entrance
from reconciler.kernel.clock import SystemClock
from reconciler.kube.client import Client
from reconciler.kube.config import endpoint
from reconciler.kube.fence import Fence
from reconciler.kube.http import HttpTransport
from reconciler.web.listener import listening


@asynccontextmanager
async def browsing(kubeconfig: Path) -> AsyncIterator[tuple[str, str]]:
    """Serve the console for a cluster until left: its address, and the address with the key."""
    async with HttpTransport(endpoint(str(kubeconfig))) as transport:
        client, clock = Client(transport, Fence()), SystemClock()
        door = KeyDoor(client, clock)
        with assembled(client, clock, ConsoleScope(cluster="rehearsal"), live=True, entrance=Entrance(LOCAL, door)) as parts:
            async with listening(parts.console.routes(), "127.0.0.1", 0) as address:
                try:
                    yield f"{address}/", f"{address}/enter?key={door.key}"
                finally:
                    parts.console.close()
