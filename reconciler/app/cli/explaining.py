"""`reconciler explain`: why a rollout stands where it stands, or why it is not there."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.completion import rollout_names
from reconciler.app.cli.family import absence_of, family_of, frozen_now, problems_of, readable, releases_of, rollout_of
from reconciler.app.cli.output import Output, Watch, clean, show_plain
from reconciler.app.cli.watching import changes
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kube.client import Client
from reconciler.views.why.absence import absent
from reconciler.views.why.explain import Situation, explain
from reconciler.views.why.explanation import Explanation

Name = Annotated[str, typer.Argument(help="the Rollout's name", autocompletion=rollout_names)]


def register(app: typer.Typer) -> None:
    """Add `explain`."""
    app.command("explain")(located(explaining))


def explaining(place: ClusterPlace, name: Name, watch: Watch = False, output: Output = "text") -> None:
    """Say in one sentence what a rollout waits for or why it ended; then rule, value, limit and what to do.

    Example: reconciler explain storefront -n shop
    """
    if watch:
        asyncio.run(_watch(place, name, output))
    else:
        _print(ask(place, lambda client: explained(client, place, name)), output)


async def _watch(place: ClusterPlace, name: str, output: str) -> None:
    async for explanation in changes(place, lambda client: explained(client, place, name), lambda found: found):
        if output == "text":
            typer.echo(clean(f"{explanation.sentence}."))
        else:
            _print(explanation, output)


def _print(explanation: Explanation, output: str) -> None:
    if output != "text":
        show_plain(asdict(explanation), output)
        return
    typer.echo(clean(f"{explanation.sentence}."))
    for key, value in asdict(explanation).items():
        if value and key not in ("sentence", "problems", "frozen", "otherwise", "compared"):
            typer.echo(f"  {key + ':':8} {clean(value)}")
    if explanation.frozen and explanation.frozen != explanation.sentence:
        typer.echo(f"  {explanation.frozen}")
    for one in explanation.otherwise:
        typer.echo(f"  otherwise: {clean(one.sentence)}")
    for line in explanation.compared:
        typer.echo(f"  compared: {clean(line)}")
    for problem in explanation.problems:
        typer.echo(f"  problem: {clean(problem)}")


async def explained(client: Client, place: ClusterPlace, name: str) -> Explanation:
    """Why a rollout stands where it stands, or why there is none. Raises Terminal when nothing speaks of one."""
    rollout = await client.find(ROLLOUTS, place.namespace, name)
    if rollout is None:
        found = absent(await absence_of(client, place, name))
        if found is not None:
            return found
        rollout = await rollout_of(client, place, name)  # which says where else to look
    releases = await releases_of(client, place.namespace, name)
    situation = Situation(
        family=await family_of(client, place, name),
        release=releases[-1] if releases else None,
        now=datetime.now(UTC),
        frozen=await frozen_now(client),
        problems=await problems_of(client, name, rollout),
        flags=place.flags,
    )
    with readable(rollout):
        return explain(situation)
