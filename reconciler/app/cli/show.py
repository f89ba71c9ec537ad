"""The commands that look: get, list, status, explain. Text for people, `-o json` for machines."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from reconciler.app.cli.cluster import Kubeconfig, Namespace, ask, cluster, show_json
from reconciler.app.cli.family import family_of, problems_of, releases_of, rollout_of
from reconciler.app.cli.output import Output
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.client import Client
from reconciler.views.explain import Explanation
from reconciler.views.explain import explain as why
from reconciler.views.tree import Family, TreeNode, facts, phase_of, tree

ENDED = ("Healthy", "Degraded")
LOOK_EVERY = 1.0
HELP = {"help_option_names": ["-h", "--help"]}
Name = Annotated[str, typer.Argument(help="the Rollout's name")]
Watch = Annotated[bool, typer.Option("-w", "--watch", help="show it again whenever it changes")]


def register(app: typer.Typer) -> None:
    """Add the looking commands to the command line."""
    getter = typer.Typer(no_args_is_help=True, help="Show one object with everything it owns.", context_settings=HELP)
    getter.command("rollout")(show_rollout)
    app.add_typer(getter, name="get")
    lister = typer.Typer(no_args_is_help=True, help="List objects, a line each.", context_settings=HELP)
    lister.command("rollouts")(list_rollouts)
    app.add_typer(lister, name="list")
    app.command("status")(status)
    app.command("explain")(explain)


def show_rollout(
    name: Name, watch: Watch = False, namespace: Namespace = "default", kubeconfig: Kubeconfig = "", output: Output = "text"
) -> None:
    """Show the live tree: revisions, ReplicaSets, pods, analysis runs, weights.

    Example: reconciler get rollout storefront -n shop --watch
    """
    if watch:
        asyncio.run(_watch(kubeconfig, namespace, name))
        return
    family = ask(kubeconfig, lambda client: family_of(client, namespace, name))
    if output == "json":
        show_json({**facts(family), "tree": asdict(tree(family))})
        return
    typer.echo("\n".join(lines_of(family)))


def list_rollouts(namespace: Namespace = "", kubeconfig: Kubeconfig = "", output: Output = "text") -> None:
    """List Rollouts: strategy, phase, step, weight, counts.

    Example: reconciler list rollouts -n shop
    """
    rollouts = ask(kubeconfig, lambda client: client.list(ROLLOUTS, namespace))
    rows = [_row(rollout) for rollout in rollouts]
    if output == "json":
        show_json(rows)
        return
    head = ("NAMESPACE", "NAME", "STRATEGY", "STATUS", "STEP", "SET-WEIGHT", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE")
    typer.echo("\n".join(table([head, *[tuple(str(value) for value in row.values()) for row in rows]])))


def status(
    name: Name,
    watch: Annotated[bool, typer.Option("--watch/--no-watch", help="wait until it is Healthy or Degraded")] = True,
    timeout: Annotated[float, typer.Option(help="seconds to wait at most; 0 = for ever")] = 0,
    namespace: Namespace = "default",
    kubeconfig: Kubeconfig = "",
    output: Output = "text",
) -> None:
    """Print the phase; wait for the end of a rollout. Exit code 1 when it is Degraded or the time is over.

    Example: reconciler status storefront -n shop --timeout 600
    """
    phase, message = asyncio.run(_wait(kubeconfig, (namespace, name), watch, timeout))
    if output == "json":
        show_json({"name": name, "namespace": namespace, "phase": phase, "message": message})
    else:
        typer.echo(f"{phase} - {message}" if message else phase)
    if phase == "Degraded" or (watch and phase not in ENDED):
        raise typer.Exit(1)


def explain(name: Name, namespace: Namespace = "default", kubeconfig: Kubeconfig = "", output: Output = "text") -> None:
    """Say in one sentence what a rollout waits for or why it ended; then rule, value, limit and what to do.

    Example: reconciler explain storefront -n shop
    """
    explanation = ask(kubeconfig, lambda client: explained(client, namespace, name))
    if output == "json":
        show_json(explanation)
        return
    typer.echo(f"{explanation.sentence}.")
    for key, value in asdict(explanation).items():
        if value and key not in ("sentence", "problems"):
            typer.echo(f"  {key + ':':8} {value}")
    for problem in explanation.problems:
        typer.echo(f"  problem: {problem}")


async def explained(client: Client, namespace: str, name: str) -> Explanation:
    """Why a rollout stands where it stands, or why there is none. Raises Terminal when no source ever asked for one."""
    rollout = await client.find(ROLLOUTS, namespace, name)
    problems = await problems_of(client, name, rollout)
    if rollout is None and problems:
        missing = f"There is no Rollout {namespace}/{name}: {problems[0]}"
        return Explanation(sentence=missing, rule="source", next="correct it in Git and push", problems=problems)
    family = await family_of(client, namespace, name)
    releases = await releases_of(client, namespace, name)
    return replace(why(family, releases[-1] if releases else None, datetime.now(UTC)), problems=problems)


def lines_of(family: Family) -> Iterator[str]:
    """The text of `get rollout`: facts above, tree below."""
    known = facts(family)
    replicas = known["replicas"]
    yield f"Name:       {known['name']}   Namespace: {known['namespace']}"
    yield f"Status:     {MARKS.get(known['phase'], '◌')} {known['phase']}" + (f" - {known['message']}" if known["message"] else "")
    yield f"Strategy:   {known['strategy']}" + (f"   Step: {known['step']}" if known["step"] else "")
    if known["strategy"] == "Canary":
        yield f"Weight:     {known['actualWeight']} in force, {known['setWeight']} asked for"
    for index, image in enumerate(known["images"]):
        yield f"{'Images:' if index == 0 else '':11} {image}"
    yield "Replicas:   " + ", ".join(f"{count} {word}" for word, count in replicas.items())
    if known["release"]:
        yield f"Release:    {known['release']}"
    if known["override"]:
        yield "Override:   a person's; it holds until Git changes the pod template"
    yield ""
    yield from _branches(tree(family), "", "")


MARKS = {"Healthy": "✔", "Degraded": "✖", "Paused": "॥", "Progressing": "◌", "Successful": "✔", "Failed": "✖", "Error": "⚠", "Running": "◌"}


def _branches(node: TreeNode, first: str, rest: str) -> Iterator[str]:
    details = "  ".join(part for part in node.details if part)
    state = f"{MARKS.get(node.status, '•')} {node.status}" if node.status else ""
    yield f"{first}{node.kind} {node.name}  {state}  {details}".rstrip() if node.kind != "Revision" else f"{first}{node.name}"
    for index, child in enumerate(node.children):
        last = index == len(node.children) - 1
        yield from _branches(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows in columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(rollout: Manifest) -> dict[str, Any]:
    known = facts(Family(rollout, (), (), ()))
    replicas = known["replicas"]
    return {
        "namespace": namespace_of(rollout),
        "name": name_of(rollout),
        "strategy": known["strategy"],
        "status": known["phase"],
        "step": known["step"] or "-",
        "setWeight": known["setWeight"] if known["strategy"] == "Canary" else "-",
        "ready": f"{replicas['ready']}/{replicas['desired']}",
        "desired": replicas["desired"],
        "upToDate": replicas["updated"],
        "available": replicas["available"],
    }


async def _wait(kubeconfig: str, place: tuple[str, str], watch: bool, timeout: float) -> tuple[str, str]:
    deadline = time.monotonic() + timeout if timeout else float("inf")
    async with cluster(kubeconfig) as client:
        while True:
            phase, message = phase_of(await rollout_of(client, *place))
            if phase in ENDED or not watch or time.monotonic() > deadline:
                return phase, message
            await asyncio.sleep(LOOK_EVERY)


async def _watch(kubeconfig: str, namespace: str, name: str) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    async with cluster(kubeconfig) as client:
        with Live(console=Console(), refresh_per_second=4) as live:
            while True:
                live.update(Text("\n".join(lines_of(await family_of(client, namespace, name)))))
                await asyncio.sleep(LOOK_EVERY)
