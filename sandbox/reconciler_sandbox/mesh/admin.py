"""Envoy's admin interface over its Unix socket: is it ready, which versions are in force, what was rejected."""

from pathlib import Path

import aiohttp

from reconciler_sandbox.mesh.errors import EnvoyFailed

ANSWER_SECONDS = 5.0
VERSIONS = "(version_text|update_rejected)$"


class Admin:
    """One kept-open connection to the admin socket of one Envoy."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._session: aiohttp.ClientSession | None = None

    async def ready(self) -> bool:
        """Whether every listener serves; False while there is no answer."""
        try:
            return (await self._read("/ready", {})).startswith("LIVE")
        except EnvoyFailed:
            return False

    async def versions(self) -> dict[str, str]:
        """The version in force and the number of rejected updates of each file, by statistic; raises EnvoyFailed without an answer."""
        text = await self._read("/stats", {"filter": VERSIONS})
        lines = (line.split(": ", 1) for line in text.splitlines() if ": " in line)
        return {name: value.strip('"') for name, value in lines}

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def _read(self, path: str, query: dict[str, str]) -> str:
        try:
            async with self._connection().get(f"http://envoy{path}", params=query) as response:
                return await response.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EnvoyFailed(f"Envoy's admin socket does not answer: {error or type(error).__name__}") from error

    def _connection(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.UnixConnector(path=str(self._socket), limit=4)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        return self._session
