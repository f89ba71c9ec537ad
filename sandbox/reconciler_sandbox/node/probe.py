"""Readiness probes: real calls to the pod, counted as Kubernetes counts them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from reconciler_sandbox.controllers.objects import Manifest

AGENT = "kube-probe/1.31"
PARTS = 10
"""A standstill of this process costs a probe one part of its time at most."""

Attempt = Callable[[], Coroutine[Any, Any, bool]]
Where = Callable[[int], tuple[str, int]]
"""Where a port of the pod is answered; raises ConnectionRefusedError for one that is closed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """When to look and how often success or failure must repeat before it counts; times in seconds."""

    initial_delay: float
    period: float
    timeout: float
    successes: int
    failures: int


def probe_of(manifest: Manifest, longest: float) -> Probe:
    """A container's probe with delay and period capped at `longest`."""
    return Probe(
        initial_delay=min(float(manifest.get("initialDelaySeconds", 0)), longest),
        period=min(float(manifest.get("periodSeconds", 10)), longest),
        timeout=float(manifest.get("timeoutSeconds", 1)),
        successes=int(manifest.get("successThreshold", 1)),
        failures=int(manifest.get("failureThreshold", 3)),
    )


async def watch_readiness(probe: Probe, attempt: Attempt, report: Callable[[bool], None]) -> None:
    """Probe for ever and report each change of mind."""
    await asyncio.sleep(probe.initial_delay)
    ready, streak, last = False, 0, False
    while True:
        result = await _within(attempt, probe.timeout)
        streak = streak + 1 if result is last else 1
        last = result
        if result is not ready and streak >= (probe.successes if result else probe.failures):
            ready = result
            report(ready)
        await asyncio.sleep(probe.period)


async def _within(attempt: Attempt, timeout: float) -> bool:
    """The answer, False when there is none in time. While this process stands still no time passes: the pod that is asked lives in it."""
    asking = asyncio.ensure_future(attempt())
    try:
        for _ in range(PARTS):
            await asyncio.wait({asking}, timeout=timeout / PARTS)
            if asking.done():
                return asking.result()
        return False
    except (TimeoutError, aiohttp.ClientError, OSError):
        return False
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def attempt_of(manifest: Manifest, container: Manifest, where: Where, session: aiohttp.ClientSession) -> Attempt | None:
    """The call a probe makes: httpGet or tcpSocket; None for a kind the sandbox cannot carry out."""
    if "httpGet" in manifest:
        return _http(manifest["httpGet"], container, where, session)
    if "tcpSocket" in manifest:
        return _tcp(port_of(manifest["tcpSocket"]["port"], container), where)
    return None


def port_of(port: int | str, container: Manifest) -> int:
    """A port number, looked up in the container when it is a name; 0 when there is none."""
    if isinstance(port, int):
        return port
    named = (offered["containerPort"] for offered in container.get("ports") or () if offered.get("name") == port)
    return int(port) if port.isdigit() else next(named, 0)


def _http(target: Manifest, container: Manifest, where: Where, session: aiohttp.ClientSession) -> Attempt:
    path = str(target.get("path", "/"))
    port = port_of(target["port"], container)
    headers = {"User-Agent": AGENT} | {header["name"]: header["value"] for header in target.get("httpHeaders") or ()}

    async def attempt() -> bool:
        address, listening = where(port)
        url = f"http://{address}:{listening}/{path.lstrip('/')}"
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            return 200 <= response.status < 400

    return attempt


def _tcp(port: int, where: Where) -> Attempt:
    async def attempt() -> bool:
        _, writer = await asyncio.open_connection(*where(port))
        writer.close()
        await writer.wait_closed()
        return True

    return attempt
