"""`reconciler hold`: which versions are not to be deployed again, and letting one go."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located, located_anywhere
from reconciler.app.cli.completion import release_names
from reconciler.app.cli.family import releases_of
from reconciler.app.cli.output import TableOutput, Watch
from reconciler.app.cli.show import HELP
from reconciler.app.cli.tables import ListCommand, Row, show_listing
from reconciler.kernel.errors import Terminal
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import RELEASES
from reconciler.kube.client import Client
from reconciler.releases import verbs
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release
from reconciler.views.releases import author_name, release_document

Name = Annotated[str, typer.Argument(help="the Release's name, see: reconciler hold list", autocompletion=release_names)]

HEAD = ("NAMESPACE", "RELEASE", "WORKLOAD", "IMAGES", "AGE", "AUTHOR", "SUBJECT", "REASON")
WIDE = ("COMMIT", "KEPT-FOR")
Make = Callable[[Sequence[Release], Release], tuple[Patch, ...]]


def register(app: typer.Typer) -> None:
    """Add the `hold` group."""
    group = typer.Typer(
        no_args_is_help=True, help="Versions that were rejected are held: not deployed again until lifted.", context_settings=HELP
    )
    group.command("list")(located_anywhere(list_holds))
    group.command("add")(located(add))
    group.command("lift")(located(lift))
    group.command("release")(located(release))
    app.add_typer(group, name="hold")


def list_holds(place: ClusterPlace, watch: Watch = False, output: TableOutput = "text") -> None:
    """List what is held, for how long, and why.

    Example: reconciler hold list -n shop
    """
    show_listing(place, ListCommand(HEAD, WIDE, _listed), watch=watch, output=output)


async def _listed(client: Client, place: ClusterPlace) -> list[Row]:
    held = [release for release in await _releases(client, place.namespace) if release.status.held]
    return [_row(release) for release in sorted(held, key=lambda release: release.age)]


def _row(release: Release) -> Row:
    spec, status = release.spec, release.status
    known = (release.namespace, release.name, spec.workload.name, ", ".join(spec.images.values()), status.decided_at or release.created)
    origin = (author_name(spec.commit.author), spec.commit.subject, status.reason)
    return Row(f"release.reconciler.dev/{release.name}", release_document(release), (*known, *origin), (spec.commit.sha, status.keep_until))


def add(place: ClusterPlace, name: Name) -> None:
    """Hold a version back yourself: it is not deployed again.

    Example: reconciler hold add web-1c2d3e4f-8d0e4f7 -n shop
    """
    _change(place, name, verbs.hold)
    typer.echo(f"release '{name}' is held")


def lift(place: ClusterPlace, name: Name) -> None:
    """Let a held version be deployed and judged again (every release of the same version is lifted).

    Example: reconciler hold lift web-1c2d3e4f-8d0e4f7 -n shop
    """
    _change(place, name, verbs.lift)
    typer.echo(f"release '{name}' is lifted: push it again, or it starts now if Git still asks for it")


def release(place: ClusterPlace, name: Name) -> None:
    """End the inspection window of a rejected version now: the restored template is applied at once.

    Example: reconciler hold release checkout-9a8b7c6d-8d0e4f7 -n shop
    """
    _change(place, name, verbs.end_inspection)
    typer.echo(f"release '{name}': inspection is over")


async def _releases(client: Client, namespace: str) -> list[Release]:
    return parse_releases(await client.list(RELEASES, namespace))


async def lift_newest(client: Client, namespace: str, workload: str) -> str | None:
    """Let the version of a workload that was rejected last be tried again (ADR 0013); the Release's name, None when nothing is held."""
    held = [r for r in await releases_of(client, namespace, workload) if r.status.held]
    if not held:
        return None
    await _send(client, verbs.lift(await _releases(client, namespace), held[-1]))
    return held[-1].name


def _change(place: ClusterPlace, name: str, make: Make) -> None:
    async def change(client: Client) -> None:
        releases = await _releases(client, place.namespace)
        named = next((release for release in releases if release.name == name), None)
        if named is None:
            hint = f"list what is held with: reconciler hold list -n {place.namespace}{place.flags}"
            raise Terminal(f"no Release {place.namespace}/{name}: {hint}")
        await _send(client, make(releases, named))

    ask(place, change)


async def _send(client: Client, patches: Sequence[Patch]) -> None:
    for patch in patches:
        await client.patch(patch.ref, patch.body, subresource=patch.subresource)
