"""`reconciler compat`: what of existing manifests is the same here as with Argo Rollouts, and what is not."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.app.cli.configured import Names, Settings, configured
from reconciler.app.cli.output import show_plain

if TYPE_CHECKING:
    from reconciler.app.compat.look import Compatibility, FieldWord

FORMATS = ("text", "markdown", "json", "yaml")


def register(app: typer.Typer) -> None:
    """Add `compat`."""
    app.command("compat")(compat)


def _known(value: str) -> str:
    if value not in FORMATS:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(FORMATS)}")
    return value


def compat(
    files: Annotated[list[Path], typer.Argument(help="manifests, or folders of them")],
    namespace: Annotated[str, typer.Option("--default-namespace", help="of objects that name none")] = "",
    exclude: Annotated[list[str] | None, typer.Option("--exclude", help="a glob of files to leave out, as in `exclude`")] = None,
    config: Settings = None,
    names: Names = None,
    output: Annotated[str, typer.Option("-o", "--output", help="text, markdown, json or yaml", callback=_known)] = "text",
) -> None:
    """Say of each field of existing Argo manifests whether it is the same here, stricter, better or unsupported.

    Rollouts, Experiments, AnalysisTemplates and AnalysisRuns are looked at, everything else is passed over. Text and Markdown name what is
    not the same, JSON every field. A folder with a kustomization or a Helm chart is looked at as it is rendered, with -c as the source says
    that follows it. Each difference leads to its row in docs/compatibility.md. A plug-in counts as unsupported where its
    package is not installed beside this command. Exit code 1 if anything is unsupported, 3 if a file could not be read.

    Example: reconciler compat environments/
    Example: reconciler compat charts/shop -c reconciler.yaml --source shop-production
    """
    from reconciler.app.cli.offline.files import apart, made_from, options_of, snapshot_at
    from reconciler.app.compat.look import compatibility
    from reconciler.app.compat.rows import Likeness
    from reconciler.renderers.plain import rendered
    from reconciler.sources.documents import joined

    sources, options = configured(config, names), options_of(namespace, exclude or ())
    rest, folders = apart(files, sources)
    found = compatibility(joined(rendered(snapshot_at(rest), None, options), *made_from(folders, options, sources)))
    if output in ("json", "yaml"):
        show_plain({**asdict(found), **{str(likeness): len(found.of(likeness)) for likeness in Likeness}}, output)
    else:
        _print(found, markdown=output == "markdown")
    if found.of(Likeness.UNSUPPORTED) or found.unread:
        raise typer.Exit(1 if found.of(Likeness.UNSUPPORTED) else 3)


def _print(found: "Compatibility", *, markdown: bool) -> None:
    from reconciler.app.compat.rows import Likeness

    differing = [word for word in found.fields if word.likeness is not Likeness.SAME or word.why]
    if markdown and differing:
        typer.echo("| | where | field | why |\n|---|---|---|---|")
    for word in differing:
        typer.echo(_row(word) if markdown else str(word))
    if markdown:
        typer.echo("")
    for problem in found.unread:
        typer.echo(f"not read: {problem}")
    counts = ", ".join(f"{len(found.of(likeness))} {likeness}" for likeness in Likeness)
    typer.echo(f"{len(found.fields)} fields of {found.objects} objects: {counts}")


def _row(word: "FieldWord") -> str:
    cells: tuple[Any, ...] = (word.likeness, f"{word.file}:{word.line} {word.object}", f"`{word.field}`", _linked(word))
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _linked(word: "FieldWord") -> str:
    return f"{word.why} ([row]({word.row}))" if word.row else word.why
