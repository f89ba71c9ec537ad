"""The verbs a person presses: the same patches the kubectl plugin sends, so both may be mixed (contract 11.1)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.completion import rollout_names
from reconciler.app.cli.family import asked_identity, family_of, rollout_of
from reconciler.app.cli.holds import lift_newest
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS
from reconciler.kube.client import Client
from reconciler.kube.errors import NotFound
from reconciler.releases.override import override
from reconciler.rollouts import verbs

Name = Annotated[str, typer.Argument(help="the Rollout's name", autocompletion=rollout_names)]
Make = Callable[[Manifest], tuple[Patch, ...]]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    for command in (promote, abort, retry, restart, pause, undo, terminate):
        app.command(command.__name__)(located(command))
    setter = typer.Typer(no_args_is_help=True, help="Change a live object.", context_settings={"help_option_names": ["-h", "--help"]})
    setter.command("image")(located(set_image))
    app.add_typer(setter, name="set")


def promote(
    place: ClusterPlace,
    name: Name,
    full: Annotated[bool, typer.Option("--full", help="skip every step, pause and analysis that is left")] = False,
) -> None:
    """Resume a paused rollout, or move it to its next step.

    Example: reconciler promote checkout -n shop
    """
    _press(place, name, lambda rollout: verbs.promote(rollout, full=full))
    typer.echo(f"rollout '{name}' {'fully ' if full else ''}promoted")


def abort(place: ClusterPlace, name: Name) -> None:
    """Send traffic home now. The release ends as "aborted by a person".

    Example: reconciler abort storefront -n shop
    """
    _press(place, name, verbs.abort)
    typer.echo(f"rollout '{name}' aborted")


def retry(place: ClusterPlace, name: Name) -> None:
    """Try an aborted version again from its first step; a hold on it is lifted.

    Example: reconciler retry storefront -n shop
    """

    async def press(client: Client) -> str | None:
        await _send(client, verbs.retry(await rollout_of(client, place, name)))
        return await lift_newest(client, place.namespace, name)

    lifted = ask(place, press)
    typer.echo(
        f"rollout '{name}' retried" + (f"; release '{lifted}' is no longer held: push it again if Git was restored" if lifted else "")
    )


def restart(place: ClusterPlace, name: Name) -> None:
    """Replace the pods one by one, without a new version.

    Example: reconciler restart web -n shop
    """
    _press(place, name, lambda rollout: verbs.restart(rollout, datetime.now(UTC)))
    typer.echo(f"rollout '{name}' restarts")


def pause(place: ClusterPlace, name: Name) -> None:
    """Hold a rollout where it is; `promote` lets it go on.

    Example: reconciler pause web -n shop
    """
    _press(place, name, verbs.pause)
    typer.echo(f"rollout '{name}' paused")


def undo(
    place: ClusterPlace,
    name: Name,
    to_revision: Annotated[int, typer.Option("--to-revision", help="which revision; default: the one before")] = 0,
) -> None:
    """Put an earlier revision's template back, live only: Git still asks for what it asks for.

    Example: reconciler undo web --to-revision 3 -n shop
    """

    async def press(client: Client) -> bool:
        family = await family_of(client, place, name)
        patches = verbs.undo(family.rollout, family.replica_sets, to_revision or None)
        held = await _override(client, family.rollout)
        await _send(client, patches)
        return held

    _say_override(f"rollout '{name}' undone; Git still asks for its own version: revert it there too", ask(place, press))


def terminate(
    place: ClusterPlace,
    name: Annotated[str, typer.Argument(help="the AnalysisRun's or the Experiment's name")],
    experiment: Annotated[bool, typer.Option("--experiment", help="it is an Experiment")] = False,
) -> None:
    """End an analysis run, or an experiment, now.

    Example: reconciler terminate storefront-6b56c8cdb4-2 -n shop
    """
    kind = EXPERIMENTS if experiment else ANALYSIS_RUNS

    async def press(client: Client) -> None:
        await _send(client, verbs.terminate(place.namespace, name, kind))

    _found(place, press, f"no {kind.kind} {place.namespace}/{name}")
    typer.echo(f"{kind.kind.lower()} '{name}' terminated")


def set_image(
    place: ClusterPlace,
    name: Name,
    images: Annotated[list[str], typer.Argument(help="CONTAINER=IMAGE, or *=IMAGE for every container")],
) -> None:
    """Change an image, live only. The usual way is to push it.

    Example: reconciler set image web web=registry.example.com/shop/web:1.1 -n shop
    """
    wanted = dict(_image(text) for text in images)

    async def press(client: Client) -> bool:
        rollout = await rollout_of(client, place, name)
        target = verbs.template_ref(rollout)
        verbs.set_image(await client.get(target.resource, target.namespace, target.name), wanted)
        held = await _override(client, rollout)
        await client.replace(target.resource, verbs.set_image(await client.get(target.resource, target.namespace, target.name), wanted))
        return held

    _say_override(f"rollout '{name}' image updated", ask(place, press))


async def _override(client: Client, rollout: Manifest) -> bool:
    """Mark what follows as a person's, before it is done; whether Git was asking for anything."""
    identity = await asked_identity(client, rollout)
    if identity:
        await _send(client, (override(rollout, identity),))
    return bool(identity)


def _say_override(what: str, held: bool) -> None:
    typer.echo(what)
    if held:
        typer.echo("an override of yours is in force: it holds until the pod template changes in Git, and nobody judges it")


def _image(text: str) -> tuple[str, str]:
    container, equals, image = text.partition("=")
    if not equals or not container or not image:
        raise typer.BadParameter(f"{text!r}: write CONTAINER=IMAGE")
    return container, image


def _press(place: ClusterPlace, name: str, make: Make) -> None:
    async def press(client: Client) -> None:
        await _send(client, make(await rollout_of(client, place, name)))

    ask(place, press)


async def _send(client: Client, patches: Sequence[Patch]) -> None:
    for patch in patches:
        await client.patch(patch.ref, patch.body, style=patch.style, subresource=patch.subresource)


def _found(place: ClusterPlace, question: Callable[[Client], Awaitable[None]], missing: str) -> None:
    try:
        ask(place, question)
    except NotFound as error:
        raise Terminal(missing) from error
