"""`reconciler freeze` and `unfreeze`: stop all our writes, in the cluster, in Git, or both, from any laptop."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, Context, Kubeconfig, ask
from reconciler.app.person import who
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.frozen import FREEZE, FROZEN_BY, SCOPES, Frozen, frozen_in, render_told, word_of
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.moment import render_moment
from reconciler.kernel.resources import LEASES, NAMESPACES
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError, Conflict, NotServed
from reconciler.views.freeze import OWN_NAMESPACE, unfreeze_command

TRIES = 5
Own = Annotated[str, typer.Option("--namespace", "-n", help="the namespace the daemon keeps its own objects in")]
Git = Annotated[bool, typer.Option("--git", help="only pushes to Git")]
Cluster = Annotated[bool, typer.Option("--cluster", help="only writes to the cluster")]
Next = Callable[[Sequence[Frozen], str], Sequence[Frozen]]
"""What is frozen afterwards, of what is frozen now and who asks."""


def register(app: typer.Typer) -> None:
    """Add the two commands."""
    app.command("freeze")(freeze)
    app.command("unfreeze")(unfreeze)


def freeze(
    git: Git = False, cluster: Cluster = False, namespace: Own = OWN_NAMESPACE, context: Context = "", kubeconfig: Kubeconfig = ""
) -> None:
    """Stop writing now. Traffic, pods and Git stay exactly as they are; watching goes on. What is frozen already stays frozen.

    Example: reconciler freeze            (everything)
    Example: reconciler freeze --git      (releases go on, nothing is pushed)
    """
    place = ClusterPlace(kubeconfig, context, namespace)
    chosen = _chosen(git, cluster)

    def more(frozen: Sequence[Frozen], who: str) -> Sequence[Frozen]:
        kept = [part for part in frozen if part.scope not in chosen or part.by]
        now = render_moment(datetime.now(UTC))
        return [*kept, *(Frozen(scope, namespace, who, now) for scope in chosen if scope not in {part.scope for part in kept})]

    frozen = ask(place, lambda client: _change(client, place, more))
    typer.echo(f"{_told(frozen)}; let it go on with: {unfreeze_command(frozen, place.flags)}")


def unfreeze(
    git: Git = False, cluster: Cluster = False, namespace: Own = OWN_NAMESPACE, context: Context = "", kubeconfig: Kubeconfig = ""
) -> None:
    """Let writing go on, all of it or one half; whatever is due is done then.

    Example: reconciler unfreeze
    Example: reconciler unfreeze --git    (what is frozen in the cluster stays frozen)
    """
    place = ClusterPlace(kubeconfig, context, namespace)
    chosen = _chosen(git, cluster)
    frozen = ask(place, lambda client: _change(client, place, lambda known, _: [part for part in known if part.scope not in chosen]))
    typer.echo(f"still {_told(frozen)}; let it go on with: {unfreeze_command(frozen, place.flags)}" if frozen else "unfrozen")


def _chosen(git: bool, cluster: bool) -> Collection[str]:
    """The halves that were named; both when none was."""
    named = tuple(scope for scope, asked in (("cluster", cluster), ("git", git)) if asked)
    return named or SCOPES


def _told(frozen: Sequence[Frozen]) -> str:
    return f"frozen: {word_of(part.scope for part in frozen)}"


async def _change(client: Client, place: ClusterPlace, next_halves: Next) -> Sequence[Frozen]:
    """Read, change, write, with the version that was read: two people who freeze one half each freeze both."""
    by = await who(client)
    for _ in range(TRIES):
        namespace = await client.find(NAMESPACES, "", place.namespace)
        if namespace is None:
            raise Terminal(f"no namespace {place.namespace}: name the daemon's own one with --namespace")
        frozen = next_halves(frozen_in(namespace), by)
        marks = {FREEZE: word_of(part.scope for part in frozen), FROZEN_BY: render_told(frozen)}
        version = namespace["metadata"].get("resourceVersion")
        try:
            await client.patch(ObjectRef(NAMESPACES, "", place.namespace), {"metadata": {"annotations": marks, "resourceVersion": version}})
        except Conflict:
            continue
        await _warn_without_daemon(client, place.namespace)
        return frozen
    raise Transient(f"namespace {place.namespace} changes all the time: try again")


async def _warn_without_daemon(client: Client, namespace: str) -> None:
    """A freeze in a namespace where no daemon lives stops nothing: better said now."""
    try:
        leases = await client.list(LEASES, namespace)
    except (ApiError, NotServed):
        return
    if not leases:
        typer.echo(f"no daemon has held its lease in namespace {namespace} yet: is this the `namespace` of its reconciler.yaml?", err=True)
