"""A target whose exposition the test writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Target:
    """Answers `text` with `status` at `url`."""

    def __init__(self) -> None:
        self.url, self.text, self.status, self.scrapes = "", "", 200, 0

    async def answer(self, request: web.Request) -> web.Response:
        self.scrapes += 1
        return web.Response(text=self.text, status=self.status)


@asynccontextmanager
async def target() -> AsyncIterator[Target]:
    served = Target()
    application = web.Application()
    application.router.add_get("/metrics", served.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    served.url = f"http://{host}:{port}/metrics"
    try:
        yield served
    finally:
        await runner.cleanup()
