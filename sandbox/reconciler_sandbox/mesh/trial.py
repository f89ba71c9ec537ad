"""Which objects does Envoy refuse? Asked of Envoy's own validation mode, so that the serving Envoy is never tried on."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import orjson

from reconciler_sandbox.mesh.errors import EnvoyFailed
from reconciler_sandbox.mesh.process import envoy_binary
from reconciler_sandbox.mesh.translate.bootstrap import trial
from reconciler_sandbox.mesh.translate.delegates import is_delegate
from reconciler_sandbox.mesh.translate.hosts import reference
from reconciler_sandbox.mesh.translate.index import ATTACHMENT
from reconciler_sandbox.mesh.translate.ingresses import is_canary
from reconciler_sandbox.mesh.translate.render import render
from reconciler_sandbox.mesh.translate.terms import Config, Json, Layout

TRIAL_SECONDS = 30.0
LONGEST_REASON = 300
# In this order each kind is tried together with the sound objects of the kinds before it. A canary Ingress is nothing without the other,
# and so is a delegate.
CANARY, DELEGATE = "canary Ingress", "delegate VirtualService"
SUSPECTS = (
    *("Service", "Endpoints", "DestinationRule", "Gateway", "VirtualService", DELEGATE, "Ingress", CANARY),
    *(ATTACHMENT, "HTTPRoute", "GRPCRoute"),
)
Objection = Callable[[Sequence[Json]], Awaitable[str]]


async def objection(config: Config) -> str:
    """What Envoy says against a configuration, in one line; empty if it accepts it. Raises EnvoyFailed without a verdict."""
    with tempfile.TemporaryDirectory(prefix="mesh-trial-") as folder:
        file = Path(folder) / "trial.json"
        file.write_bytes(orjson.dumps(trial(config)))
        running = await asyncio.create_subprocess_exec(
            envoy_binary(),
            "--mode",
            "validate",
            "-c",
            str(file),
            "-l",
            "critical",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(running.communicate(), TRIAL_SECONDS)
        except BaseException:
            if running.returncode is None:
                running.kill()
                await running.wait()
            raise
    if running.returncode is None or running.returncode < 0:  # a crash is no verdict on the configuration
        raise EnvoyFailed(f"Envoy's validation ended with {running.returncode}")
    return "" if running.returncode == 0 else _reason(output.decode(errors="replace"), str(file))


async def offenders(objects: Sequence[Json], layout: Layout) -> dict[str, str]:
    """The objects without which Envoy accepts the rest, each with Envoy's reason."""
    context = [manifest for manifest in objects if _suspicion(manifest) not in SUSPECTS]
    found: dict[str, str] = {}
    for kind in SUSPECTS:
        suspects = [manifest for manifest in objects if _suspicion(manifest) == kind]

        async def against(group: Sequence[Json], context: Sequence[Json] = tuple(context)) -> str:
            return await objection(render([*context, *group], layout))

        found.update(await bisect(suspects, against))
        context += [manifest for manifest in suspects if reference(manifest) not in found]
    return found


async def bisect(suspects: Sequence[Json], against: Objection) -> dict[str, str]:
    """The suspects to whom there is an objection, found in about log2 steps for each."""
    reason = await against(suspects) if suspects else ""
    if not reason:
        return {}
    if len(suspects) == 1:
        return {reference(suspects[0]): reason}
    half = len(suspects) // 2
    return {**await bisect(suspects[:half], against), **await bisect(suspects[half:], against)}


def _suspicion(manifest: Json) -> str:
    if manifest["kind"] == "VirtualService" and is_delegate(manifest):
        return DELEGATE
    return CANARY if manifest["kind"] == "Ingress" and is_canary(manifest) else str(manifest["kind"])


def _reason(output: str, file: str) -> str:
    """Envoy's complaint in one line, without its clock, source position and our file name; the essence is at the end."""
    told = " ".join(output.rpartition(f"{file}':")[2].split())
    return told[-LONGEST_REASON:] or "no reason given"
