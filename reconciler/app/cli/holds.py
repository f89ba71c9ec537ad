"""`reconciler hold`: which versions are not to be deployed again, and letting one go."""

from collections.abc import Sequence
from typing import Annotated

import typer

from reconciler.app.cli.cluster import Kubeconfig, Namespace, ask, show_json
from reconciler.app.cli.family import releases_of
from reconciler.app.cli.output import Output
from reconciler.app.cli.releases import words
from reconciler.app.cli.show import HELP, table
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import RELEASES
from reconciler.kube.client import Client
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release

Name = Annotated[str, typer.Argument(help="the Release's name, see: reconciler hold list")]

LIFTED: Manifest = {"held": False, "keepUntil": None}


def register(app: typer.Typer) -> None:
    """Add the `hold` group."""
    group = typer.Typer(
        no_args_is_help=True, help="Versions that were rejected are held: not deployed again until lifted.", context_settings=HELP
    )
    group.command("list")(list_holds)
    group.command("add")(add)
    group.command("lift")(lift)
    group.command("release")(release)
    app.add_typer(group, name="hold")


def list_holds(namespace: Namespace = "", kubeconfig: Kubeconfig = "", output: Output = "text") -> None:
    """List what is held, and why.

    Example: reconciler hold list -n shop
    """
    held = [r for r in ask(kubeconfig, lambda client: _releases(client, namespace)) if r.status.held]
    if output == "json":
        show_json([words(r) for r in held])
        return
    rows = [(r.namespace, r.name, r.spec.workload.name, ", ".join(r.spec.images.values()), r.status.reason) for r in held]
    typer.echo("\n".join(table([("NAMESPACE", "RELEASE", "WORKLOAD", "IMAGES", "REASON"), *rows])))


def add(name: Name, namespace: Namespace = "default", kubeconfig: Kubeconfig = "") -> None:
    """Hold a version back yourself: it is not deployed again.

    Example: reconciler hold add web-1c2d3e4f-8d0e4f7 -n shop
    """
    _change(kubeconfig, namespace, name, {"held": True})
    typer.echo(f"release '{name}' is held")


def lift(name: Name, namespace: Namespace = "default", kubeconfig: Kubeconfig = "") -> None:
    """Let a held version be deployed and judged again (every release of the same version is lifted).

    Example: reconciler hold lift web-1c2d3e4f-8d0e4f7 -n shop
    """
    _change(kubeconfig, namespace, name, LIFTED)
    typer.echo(f"release '{name}' is lifted: push it again, or it starts now if Git still asks for it")


def release(name: Name, namespace: Namespace = "default", kubeconfig: Kubeconfig = "") -> None:
    """End the inspection window of a rejected version now: the restored template is applied at once.

    Example: reconciler hold release checkout-9a8b7c6d-8d0e4f7 -n shop
    """
    _change(kubeconfig, namespace, name, {"keepUntil": None})
    typer.echo(f"release '{name}': inspection is over")


async def _releases(client: Client, namespace: str) -> list[Release]:
    return parse_releases(await client.list(RELEASES, namespace))


async def lift_newest(client: Client, namespace: str, workload: str) -> str | None:
    """Let the version of a workload that was rejected last be tried again (ADR 0013); the Release's name, None when nothing is held."""
    held = [r for r in await releases_of(client, namespace, workload) if r.status.held]
    if not held:
        return None
    await _patch(client, await _releases(client, namespace), (namespace, held[-1].name), LIFTED)
    return held[-1].name


def _change(kubeconfig: str, namespace: str, name: str, status: Manifest) -> None:
    async def change(client: Client) -> None:
        await _patch(client, await _releases(client, namespace), (namespace, name), status)

    ask(kubeconfig, change)


async def _patch(client: Client, releases: Sequence[Release], place: tuple[str, str], status: Manifest) -> None:
    for found in _same_version(releases, *place):
        await client.patch(ObjectRef(RELEASES, found.namespace, found.name), {"status": status}, subresource="status")


def _same_version(releases: Sequence[Release], namespace: str, name: str) -> list[Release]:
    named = next((r for r in releases if r.name == name), None)
    if named is None:
        raise Terminal(f"no Release {namespace}/{name}: list what is held with: reconciler hold list -n {namespace}")
    return [r for r in releases if r.key == named.key and r.spec.identity == named.spec.identity]
