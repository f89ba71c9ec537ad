"""The commands that look: `get rollout` and `list rollouts`. Text for people, `-o` for machines."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located, located_anywhere
from reconciler.app.cli.completion import rollout_names
from reconciler.app.cli.family import family_of, frozen_now, releases_of
from reconciler.app.cli.output import TableOutput, Watch, age, clean, show_plain
from reconciler.app.cli.tables import ListCommand, Row, show_listing
from reconciler.app.cli.watching import changes
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import name_of
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.errors import NotServed, Refused
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release
from reconciler.views.freeze import freeze_line, freeze_sentence
from reconciler.views.releases import author_name, running_release, standing_of
from reconciler.views.rollouts import RolloutRow, created_of, rollout_document, row_of
from reconciler.views.tree import Family, TreeNode, facts, tree
from reconciler.views.view import plain

HELP = {"help_option_names": ["-h", "--help"]}
Name = Annotated[str, typer.Argument(help="the Rollout's name", autocompletion=rollout_names)]
COUNTS = ("READY", "DESIRED", "UP-TO-DATE", "AVAILABLE")
HEAD = ("NAMESPACE", "NAME", "STRATEGY", "STATUS", "STEP", "SET-WEIGHT", *COUNTS, "AGE", "IMAGES", "COMMIT", "AUTHOR", "SUBJECT")
WIDE = ("RELEASE", "PHASE", "VERDICT")


@dataclass(frozen=True, slots=True)
class Shown:
    """What `get rollout` shows."""

    family: Family
    releases: tuple[Release, ...]
    """Oldest first."""
    frozen: tuple[Frozen, ...]


def register(app: typer.Typer) -> None:
    """Add the looking commands to the command line."""
    getter = typer.Typer(no_args_is_help=True, help="Show one object with everything it owns.", context_settings=HELP)
    getter.command("rollout")(located(show_rollout))
    app.add_typer(getter, name="get")
    lister = typer.Typer(no_args_is_help=True, help="List objects, a line each.", context_settings=HELP)
    lister.command("rollouts")(located_anywhere(list_rollouts))
    app.add_typer(lister, name="list")


def show_rollout(place: ClusterPlace, name: Name, watch: Watch = False, output: TableOutput = "text") -> None:
    """Show the live tree: revisions, ReplicaSets, pods, analysis runs, weights, and how its newest release stands.

    Example: reconciler get rollout storefront -n shop --watch
    """
    if watch:
        asyncio.run(_watch(place, name, output))
        return
    _print(ask(place, lambda client: _shown(client, place, name)), output, place.flags)


async def _shown(client: Client, place: ClusterPlace, name: str) -> Shown:
    family = await family_of(client, place, name)
    releases = await releases_of(client, place.namespace, name)
    return Shown(family, tuple(releases), await frozen_now(client))


def _print(shown: Shown, output: str, flags: str) -> None:
    if output in ("json", "yaml"):
        show_plain(rollout_document(shown.family, shown.releases, shown.frozen), output)
    elif output == "name":
        typer.echo(f"rollout.argoproj.io/{name_of(shown.family.rollout)}")
    else:
        typer.echo("\n".join(lines_of(shown, datetime.now(UTC), flags)))


async def _watch(place: ClusterPlace, name: str, output: str) -> None:
    """A live tree on a terminal; on a pipe the facts in a line, or the whole document, at each change."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    if output != "text" or not console.is_terminal:
        async for shown in changes(place, lambda client: _shown(client, place, name), _seen):
            typer.echo(_line(shown)) if output == "text" else _print(shown, output, place.flags)
        return
    with Live(console=console, refresh_per_second=4) as live:
        async for shown in changes(place, lambda client: _shown(client, place, name), _seen):
            live.update(Text("\n".join(lines_of(shown, datetime.now(UTC), place.flags))))


def _seen(shown: Shown) -> object:
    return rollout_document(shown.family, shown.releases, shown.frozen)


def _line(shown: Shown) -> str:
    known = facts(shown.family)
    replicas = known["replicas"]
    parts = [f"{known['name']}: {known['phase']}" + (f" - {known['message']}" if known["message"] else "")]
    if known["strategy"] == "Canary":
        parts.append(f"step {known['step'] or '-'}, weight {known['actualWeight']}")
    parts.append(f"available {replicas['available']}/{replicas['desired']}")
    if shown.releases:
        parts.append(f"release {standing_of(shown.releases[-1]).sentence}")
    return clean("; ".join([*parts, *filter(None, (freeze_sentence(shown.frozen),))]))


def list_rollouts(place: ClusterPlace, watch: Watch = False, output: TableOutput = "text") -> None:
    """List Rollouts: strategy, phase, step, weight, counts, age, and the commit their version came from.

    Example: reconciler list rollouts -n shop
    Example: reconciler list rollouts -A -o wide --watch
    """
    show_listing(place, ListCommand(HEAD, WIDE, _listed), watch=watch, output=output)


async def _listed(client: Client, place: ClusterPlace) -> list[Row]:
    rollouts, releases = await client.list(ROLLOUTS, place.namespace), await _releases(client, place.namespace)
    return [_row(row_of(rollout, releases[name_of(rollout)])) for rollout in rollouts]


async def _releases(client: Client, namespace: str) -> Mapping[str, list[Release]]:
    """Releases by workload, as far as they are served and this person may read them: a list without them is still a list."""
    found: defaultdict[str, list[Release]] = defaultdict(list)
    try:
        for release in parse_releases(await client.list(RELEASES, namespace)):
            found[release.spec.workload.name].append(release)
    except (NotServed, Refused):
        pass
    return found


def _row(row: RolloutRow) -> Row:
    counts = (row.ready, str(row.desired), str(row.up_to_date), str(row.available))
    known = (row.namespace, row.name, row.strategy, row.status, row.step, str(row.set_weight), *counts, row.created, ", ".join(row.images))
    release = row.release
    origin = (release.commit[:12], author_name(release.author), release.subject) if release else ("", "", "")
    judged = (release.name, release.phase, release.verdict) if release else ("", "", "")
    return Row(f"rollout.argoproj.io/{row.name}", plain(row), (*known, *origin), judged)


def lines_of(shown: Shown, now: datetime, flags: str) -> Iterator[str]:
    """The text of `get rollout`: facts above, tree below."""
    family, known = shown.family, facts(shown.family)
    if shown.frozen:
        yield freeze_line(shown.frozen, flags)
    yield f"Name:       {known['name']}   Namespace: {known['namespace']}   Age: {age(created_of(family.rollout), now)}"
    yield f"Status:     {MARKS.get(known['phase'], '◌')} {known['phase']}" + (f" - {clean(known['message'])}" if known["message"] else "")
    yield f"Strategy:   {known['strategy']}" + (f"   Step: {known['step']}" if known["step"] else "")
    if known["strategy"] == "Canary":
        yield f"Weight:     {known['actualWeight']} in force, {known['setWeight']} asked for"
    for index, image in enumerate(known["images"]):
        yield f"{'Images:' if index == 0 else '':11} {image}"
    yield "Replicas:   " + ", ".join(f"{count} {word}" for word, count in known["replicas"].items())
    yield from _release_lines(shown, now)
    if known["override"]:
        yield "Override:   a person's; it holds until Git changes the pod template"
    yield ""
    yield from _branches(tree(family), "", "")


def _release_lines(shown: Shown, now: datetime) -> Iterator[str]:
    """The commit that the live version came from, and how the newest release stands."""
    running = running_release(shown.family.rollout, shown.releases)
    if running is not None:
        commit = running.spec.commit
        yield clean(f"Commit:     {commit.sha[:12]} {commit.subject} ({author_name(commit.author)}), {age(running.created, now)} ago")
    if shown.releases:
        yield clean(f"Release:    {standing_of(shown.releases[-1]).sentence}")


MARKS = {"Healthy": "✔", "Degraded": "✖", "Paused": "॥", "Progressing": "◌", "Successful": "✔", "Failed": "✖", "Error": "⚠", "Running": "◌"}


def _branches(node: TreeNode, first: str, rest: str) -> Iterator[str]:
    details = "  ".join(part for part in node.details if part)
    state = f"{MARKS.get(node.status, '•')} {node.status}" if node.status else ""
    line = f"{node.kind} {node.name}  {state}  {details}".rstrip() if node.kind != "Revision" else node.name
    yield first + clean(line)
    for index, child in enumerate(node.children):
        last = index == len(node.children) - 1
        yield from _branches(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))
