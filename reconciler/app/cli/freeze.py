"""`reconciler freeze` and `unfreeze`: stop all our writes, in the cluster, in Git, or both, from any laptop."""

from typing import Annotated

import typer

from reconciler.app.cli.cluster import Kubeconfig, ask
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import NAMESPACES
from reconciler.kube.client import Client

FREEZE = "reconciler.dev/freeze"
Own = Annotated[str, typer.Option("--namespace", "-n", help="the namespace the daemon keeps its own objects in")]


def register(app: typer.Typer) -> None:
    """Add the two commands."""
    app.command("freeze")(freeze)
    app.command("unfreeze")(unfreeze)


def freeze(
    git: Annotated[bool, typer.Option("--git", help="only pushes to Git")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="only writes to the cluster")] = False,
    namespace: Own = "reconciler",
    kubeconfig: Kubeconfig = "",
) -> None:
    """Stop writing now. Traffic, pods and Git stay exactly as they are; watching goes on.

    Example: reconciler freeze            (everything)
    Example: reconciler freeze --git      (releases go on, nothing is pushed)
    """
    scope = "git" if git and not cluster else "cluster" if cluster and not git else "all"
    _mark(kubeconfig, namespace, scope)
    typer.echo(f"frozen: {scope}; let it go on with: reconciler unfreeze")


def unfreeze(namespace: Own = "reconciler", kubeconfig: Kubeconfig = "") -> None:
    """Let writing go on; whatever is due is done then.

    Example: reconciler unfreeze
    """
    _mark(kubeconfig, namespace, None)
    typer.echo("unfrozen")


def _mark(kubeconfig: str, namespace: str, scope: str | None) -> None:
    async def mark(client: Client) -> None:
        if await client.find(NAMESPACES, "", namespace) is None:
            raise Terminal(f"no namespace {namespace}: name the daemon's own one with --namespace")
        await client.patch(ObjectRef(NAMESPACES, "", namespace), {"metadata": {"annotations": {FREEZE: scope}}})

    ask(kubeconfig, mark)
