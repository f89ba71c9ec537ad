"""`reconciler status`: how a rollout and its newest release stand, and waiting for an end that means something."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, located
from reconciler.app.cli.completion import rollout_names
from reconciler.app.cli.family import frozen_now, readable, releases_of, rollout_of, seen_by
from reconciler.app.cli.output import Output, clean, show_plain, span
from reconciler.app.cli.watching import FOR_EVER, changes
from reconciler.kube.client import Client
from reconciler.releases.model import Release
from reconciler.sources.drift import Drift
from reconciler.sources.inventory import Inventory, workload_key
from reconciler.views.freeze import freeze_sentence
from reconciler.views.rollouts import RolloutStanding, status_of
from reconciler.views.view import plain

ENDED = ("Healthy", "Degraded")
VERDICT, COMMIT = "verdict", "commit"
SHA = re.compile(r"[0-9a-fA-F]{7,64}")
Name = Annotated[str, typer.Argument(help="the Rollout's name", autocompletion=rollout_names)]
Sha = Annotated[str, typer.Argument(help="with --wait-for commit: which one", show_default=False)]
WaitFor = Annotated[str, typer.Option("--wait-for", help="verdict: of the newest release; commit SHA: until this commit is judged here")]
Follow = Annotated[bool, typer.Option("-w/-W", "--watch/--no-watch", help="wait until it is Healthy or Degraded")]
Timeout = Annotated[timedelta, typer.Option(parser=span, metavar="DURATION", help="how long to wait at most (30s, 10m); 0 = for ever")]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found: the status, and the release that is waited for, where it is known already."""

    status: RolloutStanding
    awaited: Release | None
    waits: str = ""
    """Why there is no such release yet."""
    closed: str = ""
    """The sync window that keeps its source from being written; empty where there is none."""
    drift: Drift | None = None
    """What others have changed of it."""


Look = Callable[[Client], Awaitable[Seen]]


def register(app: typer.Typer) -> None:
    """Add `status`."""
    app.command("status")(located(status))


def status(
    place: ClusterPlace,
    name: Name,
    sha: Sha = "",
    watch: Follow = True,
    wait_for: WaitFor = "",
    timeout: Timeout = FOR_EVER,
    output: Output = "text",
) -> None:
    """Print the phase, and the newest release beside it; wait for the end of a rollout, or for the verdict of a release.

    Exit code 1 when it is Degraded, when the release did not pass, or when the time is over. A rollout may be Healthy while its release
    is still watched: who wants to know how it ended waits for the verdict.

    Example: reconciler status storefront -n shop --timeout 10m
    Example: reconciler status storefront -n shop --wait-for verdict --timeout 30m
    Example: reconciler status storefront -n shop --wait-for commit 8d0e4f7
    """
    commit = _commit(wait_for, sha)
    seen = asyncio.run(_follow(place, name, (commit, bool(wait_for), watch, timeout), output))
    if output != "text":
        show_plain(plain(seen.status), output)
    if wait_for:
        _answer_verdict(seen, output)
    elif seen.status.phase == "Degraded" or (watch and seen.status.phase not in ENDED):
        raise typer.Exit(1)


def _commit(wait_for: str, sha: str) -> str:
    """The commit that is waited for; empty for the newest release. Other words are a usage error."""
    word, _, inline = wait_for.partition("=")
    if SHA.fullmatch(wait_for):
        word, inline = COMMIT, wait_for
    if word not in ("", VERDICT, COMMIT) or (word != COMMIT and sha) or (word == VERDICT and inline):
        raise typer.BadParameter(f"{wait_for or sha!r}: write --wait-for verdict, or --wait-for commit SHA")
    found = inline or sha
    if word == COMMIT and not SHA.fullmatch(found):
        raise typer.BadParameter(f"{found!r} is no commit: write at least 7 hexadecimal digits")
    return found.lower()


def _answer_verdict(seen: Seen, output: str) -> None:
    """The exit code of who waited for a verdict: 0 only for a release that passed, or that a person called proven."""
    release = seen.awaited
    if release is not None and release.proven:
        return
    if release is None or release.status.verdict is None:
        typer.echo(f"the time is over: {seen.waits or 'there is no verdict yet'}", err=True)
    raise typer.Exit(1)


Waiting = tuple[str, bool, bool, timedelta]
"""The commit, whether a verdict is waited for, whether the phase is, and how long."""


async def _follow(place: ClusterPlace, name: str, waiting: Waiting, output: str) -> Seen:
    """Look until what is waited for has come; in text, a line per change."""
    commit, verdict, watch, timeout = waiting
    last: Seen | None = None
    said: list[str] = []
    async for seen in changes(place, _look(place, name, commit), lambda found: found, timeout):
        last = seen
        if output == "text":
            lines = _lines(seen, verdict=verdict)
            typer.echo("\n".join(lines if lines[1:] != said[1:] else lines[:1]))
            said = lines
        if _over(seen, verdict, watch):
            break
    assert last is not None, "the first look answers or raises"
    return last


def _over(seen: Seen, verdict: bool, watch: bool) -> bool:
    if verdict:
        return seen.awaited is not None and seen.awaited.decided
    return not watch or seen.status.phase in ENDED


def _look(place: ClusterPlace, name: str, commit: str) -> Look:
    passed_by: set[str] = set()

    async def look(client: Client) -> Seen:
        rollout = await rollout_of(client, place, name)
        releases = await releases_of(client, place.namespace, name)
        newest = releases[-1] if releases else None
        frozen = await frozen_now(client)
        with readable(rollout):
            status = status_of(rollout, newest, frozen)
        inventory = await seen_by(client, rollout)
        closed = str(inventory.closed or "")
        drift = next((one for one in inventory.drifts if one.object == f"Rollout {place.namespace}/{name}"), None)
        if not commit:
            return Seen(status, newest, "" if newest else f"no release of {place.namespace}/{name} is recorded", closed, drift)
        passed_by.add(inventory.commit)
        awaited = _of_commit(releases, inventory, commit, workload_key(place.namespace, "Rollout", name))
        return Seen(status, awaited, "" if awaited else _unseen(commit, inventory, passed_by), closed, drift)

    return look


def _of_commit(releases: list[Release], inventory: Inventory, commit: str, workload: str) -> Release | None:
    """The newest release that this commit asked for; of a commit that changed nothing here, the one of what it left as it was."""
    own = [release for release in releases if release.spec.commit.sha.startswith(commit)]
    if not own and inventory.commit.startswith(commit):
        asked = inventory.workloads.get(workload)
        own = [release for release in releases if release.spec.identity == asked]
    return own[-1] if own else None


def _unseen(commit: str, inventory: Inventory, passed_by: set[str]) -> str:
    if any(seen.startswith(commit) for seen in passed_by if seen):
        return f"commit {commit} was seen, and no release of this workload is recorded for it yet"
    return f"commit {commit} was not seen: its source is at {inventory.commit[:12] or 'no commit yet'}"


def _lines(seen: Seen, *, verdict: bool) -> list[str]:
    """The phase as the plugin prints it, then what is beside it."""
    status = seen.status
    lines = [clean(f"{status.phase} - {status.message}" if status.message else status.phase)]
    if status.frozen:
        lines.append(freeze_sentence(status.frozen))
    if seen.closed:
        lines.append(clean(f"Source: {seen.closed}"))
    if seen.drift is not None:
        lines.append(clean(f"Not as Git has it: {', '.join(map(str, seen.drift.fields))}"))
    if status.release is not None:
        lines.append(clean(f"Release {status.release.sentence}"))
    awaited = seen.awaited
    if verdict and awaited is not None and awaited.decided and (status.release is None or awaited.name != status.release.name):
        lines.append(clean(f"Release {awaited.name}: {awaited.status.verdict}: {awaited.status.reason}"))
    if verdict and awaited is None:
        lines.append(clean(f"Waiting: {seen.waits}"))
    return lines
