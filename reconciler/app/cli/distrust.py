"""`reconciler distrust`: a person takes the proof of a version away."""

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
from reconciler.releases.acceptance import distrusted_patch, to_distrust
from reconciler.releases.model import Lost

Name = Annotated[str, typer.Argument(help="the Rollout's name", autocompletion=rollout_names)]
Reason = Annotated[str, typer.Option(help="why, for those who read it later")]
Which = Annotated[str, typer.Option("--release", help="the Release, if it is not the newest proven one")]


def register(app: typer.Typer) -> None:
    """Add `distrust` to the command line."""
    app.command("distrust")(located(distrust))


def distrust(place: ClusterPlace, name: Name, reason: Reason, release: Which = "") -> None:
    """Take the proof of a version away: users stay on it, and environments that are new to it do not begin with it.

    `accept` gives it back. Example: reconciler distrust storefront -n shop --reason "loses orders at night"
    """
    found = ask(place, lambda client: _distrust(client, place, name, (release, reason)))
    typer.echo(f"release '{found}' is not proven any more: its images are held where they have never served")


async def _distrust(client: Client, place: ClusterPlace, name: str, told: tuple[str, str]) -> str:
    await rollout_of(client, place, name)
    found = to_distrust(await releases_of(client, place.namespace, name), told[0])
    lost = Lost(by=getpass.getuser(), at=datetime.now(UTC), reason=told[1])
    await client.patch(ObjectRef(RELEASES, found.namespace, found.name), distrusted_patch(lost), subresource="status")
    return found.name
