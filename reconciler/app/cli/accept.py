"""`reconciler accept`: a person calls the version that serves proven."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located
from reconciler.app.cli.completion import rollout_names
from reconciler.app.cli.family import releases_of, rollout_of
from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import RELEASES
from reconciler.kube.client import Client
from reconciler.releases.acceptance import accepted_patch, to_accept
from reconciler.releases.model import Accepted
from reconciler.rollouts.view import view_of

Name = Annotated[str, typer.Argument(help="the Rollout's name", autocompletion=rollout_names)]
Reason = Annotated[str, typer.Option(help="why, for those who read it later")]


def register(app: typer.Typer) -> None:
    """Add `accept` to the command line."""
    app.command("accept")(located(accept))


def accept(place: ClusterPlace, name: Name, reason: Reason = "") -> None:
    """Call the version that serves proven, although its release could not be measured or had too little evidence.

    The next release then goes back to it as to a proven one. Example: reconciler accept storefront -n shop --reason "checked by hand"
    """
    release = ask(place, lambda client: _accept(client, place, name, reason))
    typer.echo(f"release '{release}' is accepted: its version counts as proven")


async def _accept(client: Client, place: ClusterPlace, name: str, reason: str) -> str:
    live = view_of(await rollout_of(client, place, name))
    found = to_accept(await releases_of(client, place.namespace, name), live)
    accepted = Accepted(by=getpass.getuser(), at=datetime.now(UTC), reason=reason)
    await client.patch(ObjectRef(RELEASES, found.namespace, found.name), accepted_patch(accepted), subresource="status")
    return found.name
