"""`reconciler releases`: what was released, how it ended, with the numbers."""

from typing import Annotated, Any

import msgspec
import typer

from reconciler.app.cli.cluster import Kubeconfig, Namespace, ask, show_json
from reconciler.app.cli.output import Output
from reconciler.app.cli.show import HELP, table
from reconciler.kernel.errors import Terminal
from reconciler.kernel.resources import RELEASES
from reconciler.releases.manifest import parse_release, parse_releases
from reconciler.releases.message import headline
from reconciler.releases.model import Release


def register(app: typer.Typer) -> None:
    """Add `releases list` and `releases show`."""
    group = typer.Typer(no_args_is_help=True, help="Look at releases and their verdicts.", context_settings=HELP)
    group.command("list")(list_releases)
    group.command("show")(show)
    app.add_typer(group, name="releases")


def list_releases(namespace: Namespace = "", kubeconfig: Kubeconfig = "", output: Output = "text") -> None:
    """List releases, newest last.

    Example: reconciler releases list -n shop
    """
    manifests = ask(kubeconfig, lambda client: client.list(RELEASES, namespace))
    releases = sorted(parse_releases(manifests), key=lambda r: r.age)
    if output == "json":
        show_json([words(release) for release in releases])
        return
    head = ("NAMESPACE", "NAME", "WORKLOAD", "ENVIRONMENT", "COMMIT", "PHASE", "VERDICT", "HELD")
    typer.echo("\n".join(table([head, *[_row(release) for release in releases]])))


def show(
    name: Annotated[str, typer.Argument(help="the Release's name")],
    namespace: Namespace = "default",
    kubeconfig: Kubeconfig = "",
    output: Output = "text",
) -> None:
    """Show one release: what changed, where it was set, what was measured, how Git was restored.

    Example: reconciler releases show storefront-3f9a1c2b-8d0e4f7 -n shop
    """
    manifest = ask(kubeconfig, lambda client: client.find(RELEASES, namespace, name))
    if manifest is None:
        raise Terminal(f"no Release {namespace}/{name}: list them with: reconciler releases list -n {namespace}")
    release = parse_release(manifest)
    if output == "json":
        show_json(words(release))
        return
    typer.echo("\n".join(_text(release)))


def words(release: Release) -> dict[str, Any]:
    """A release as plain JSON: where it is kept, spec and status (docs/configuration.md)."""
    return {
        "name": release.name,
        "namespace": release.namespace,
        "spec": msgspec.to_builtins(release.spec),
        "status": msgspec.to_builtins(release.status),
    }


def _row(release: Release) -> tuple[str, ...]:
    status = release.status
    commit, held = release.spec.commit.sha[:12], "held" if status.held else ""
    workload, environment = release.spec.workload.name, release.spec.environment
    return (release.namespace, release.name, workload, environment, commit, str(status.phase), str(status.verdict or ""), held)


def _text(release: Release) -> list[str]:
    spec, status = release.spec, release.status
    lines = [f"Release {release.namespace}/{release.name}: {headline(release)}", f"  {status.reason}" if status.reason else ""]
    lines.append(f"Commit    {spec.commit.sha[:12]} {spec.commit.subject} ({spec.commit.author})")
    lines.append(f"Pull      {spec.pull.url}" if spec.pull else "")
    back = spec.previous.release or "what served before" if spec.previous else "nothing yet"
    lines.append(f"Way back  {spec.revert}; to {back}{'' if spec.previous is None or spec.previous.proven else ' (never proven)'}")
    lines += [f"Changed   {c.file}:{c.line} {c.field}: {c.old} → {c.new}" for c in spec.changes]
    for row in status.evidence:
        counts = f"{row.successful} passed, {row.failed} failed, {row.inconclusive + row.error} without data"
        lines.append(f"Measured  {row.metric} {row.phase}: {counts}; {row.condition}; {', '.join(row.values)}")
    if status.restore:
        lines.append(f"Restored  {status.restore.state} {status.restore.sha[:12]} {status.restore.message}".rstrip())
    return [line for line in lines if line]
