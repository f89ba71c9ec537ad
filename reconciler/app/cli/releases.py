"""`reconciler releases`: what was released, how it ended, with the numbers."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from reconciler.app.cli.cluster import ClusterPlace, ask, located, located_anywhere
from reconciler.app.cli.completion import release_names
from reconciler.app.cli.family import frozen_now
from reconciler.app.cli.output import TableOutput, Watch, age, clean, show_plain
from reconciler.app.cli.show import HELP
from reconciler.app.cli.tables import ListCommand, Row, show_listing, warn_frozen
from reconciler.kernel.errors import Terminal
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import RELEASES
from reconciler.kube.client import Client
from reconciler.releases.announce.message import headline
from reconciler.releases.comparison.words import compared_lines
from reconciler.releases.manifest import parse_release, parse_releases
from reconciler.releases.model import Release
from reconciler.releases.preview.words import preview_lines
from reconciler.releases.share.words import share_lines
from reconciler.views.releases import author_name, release_document

HEAD = ("NAMESPACE", "NAME", "WORKLOAD", "ENVIRONMENT", "COMMIT", "PHASE", "VERDICT", "HELD", "AGE", "IMAGES", "AUTHOR", "SUBJECT")
WIDE = ("PULL", "WAY-BACK", "REASON")


def register(app: typer.Typer) -> None:
    """Add `releases list` and `releases show`."""
    group = typer.Typer(no_args_is_help=True, help="Look at releases and their verdicts.", context_settings=HELP)
    group.command("list")(located_anywhere(list_releases))
    group.command("show")(located(show))
    app.add_typer(group, name="releases")


def list_releases(place: ClusterPlace, watch: Watch = False, output: TableOutput = "text") -> None:
    """List releases, newest last.

    Example: reconciler releases list -n shop
    Example: reconciler releases list -A --watch
    """
    show_listing(place, ListCommand(HEAD, WIDE, _listed), watch=watch, output=output)


async def _listed(client: Client, place: ClusterPlace) -> list[Row]:
    releases = parse_releases(await client.list(RELEASES, place.namespace))
    return [_row(release) for release in sorted(releases, key=lambda release: release.age)]


def _row(release: Release) -> Row:
    spec, status = release.spec, release.status
    known = (release.namespace, release.name, spec.workload.name, spec.environment, spec.commit.sha[:12])
    judged = (str(status.phase), str(status.verdict or ""), "held" if status.held else "", release.created)
    origin = (", ".join(spec.images.values()), author_name(spec.commit.author), spec.commit.subject)
    more = (release.pull.url if release.pull else "", spec.revert, status.reason)
    return Row(f"release.reconciler.dev/{release.name}", release_document(release), (*known, *judged, *origin), more)


def show(
    place: ClusterPlace,
    name: Annotated[str, typer.Argument(help="the Release's name", autocompletion=release_names)],
    output: TableOutput = "text",
) -> None:
    """Show one release: what changed, where it was set, what was measured, how Git was restored.

    Example: reconciler releases show storefront-3f9a1c2b-8d0e4f7 -n shop
    """
    manifest, frozen = ask(place, lambda client: _found(client, place, name))
    if manifest is None:
        hint = f"list them with: reconciler releases list -n {place.namespace}{place.flags}"
        raise Terminal(f"no Release {place.namespace}/{name}: {hint}")
    release = parse_release(manifest)
    warn_frozen(frozen, place)
    if output in ("json", "yaml"):
        show_plain(release_document(release), output)
    elif output == "name":
        typer.echo(f"release.reconciler.dev/{release.name}")
    else:
        typer.echo("\n".join(map(clean, _text(release, datetime.now(UTC)))))


async def _found(client: Client, place: ClusterPlace, name: str) -> tuple[Manifest | None, tuple[Frozen, ...]]:
    return await client.find(RELEASES, place.namespace, name), await frozen_now(client)


def _text(release: Release, now: datetime) -> list[str]:
    spec, status = release.spec, release.status
    lines = [f"Release {release.namespace}/{release.name}: {headline(release)}", f"  {status.reason}" if status.reason else ""]
    lines.append(f"Commit    {spec.commit.sha[:12]} {spec.commit.subject} ({spec.commit.author}), {age(release.created, now)} ago")
    lines.append(f"Images    {', '.join(spec.images.values())}" if spec.images else "")
    lines.append(f"Pull      {release.pull.url}" if release.pull else "")
    back = spec.previous.release or "what served before" if spec.previous else "nothing yet"
    lines.append(f"Way back  {spec.revert}; to {back}{'' if spec.previous is None or spec.previous.proven else ' (never proven)'}")
    lines += [f"Changed   {c.file}:{c.line} {c.field}: {c.old} → {c.new}" for c in spec.changes]
    for row in status.evidence:
        counts = f"{row.successful} passed, {row.failed} failed, {row.inconclusive + row.error} without data"
        lines.append(f"Measured  {row.metric} {row.phase}: {counts}; {row.condition}; {', '.join(row.values)}")
    lines += [f"Compared  {words}" for words in compared_lines(status)]
    lines += [f"Routes    {words}" for words in share_lines(status.share)]
    lines += [f"Preview   {words}" for words in preview_lines(status.preview)]
    if status.restore:
        lines.append(f"Restored  {status.restore.state} {status.restore.sha[:12]} {status.restore.message}".rstrip())
    return [line for line in lines if line]
