"""`reconciler plan`: what a range of commits would release, and what the way back would be, before it is merged. No cluster is asked."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.cli.configured import Names, configured
from reconciler.app.cli.output import show_plain
from reconciler.kernel.errors import Terminal
from reconciler.sources.settings import Allow, SourceSettings
from reconciler.views.plans import PlannedRelease, ReleasePlan, as_markdown, as_text, planned
from reconciler.views.view import plain

if TYPE_CHECKING:
    from reconciler.sources.changes import WorkloadChange
    from reconciler.sources.documents import Parsed
    from reconciler.sources.follow import GitSource

FORMS = ("text", "markdown", "json", "yaml")
NEGATIVE = 1
Range = Annotated[
    str,
    typer.Argument(
        metavar="[RANGE|DIR]", help="A..B, A...B or one commit, default: origin/HEAD...HEAD; or a folder: what is not committed"
    ),
]
Place = Annotated[Path, typer.Option("-C", metavar="DIR", help="the clone, or a folder in it")]
Settings = Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="a reconciler.yaml: its sources are planned")]
Folder = Annotated[str, typer.Option("--path", help="without -c: the folder that a source follows, from the repository's root")]
Home = Annotated[str, typer.Option("--default-namespace", help="without -c: the source's `namespace`, of objects that name none")]
Strict = Annotated[bool, typer.Option("--strict", help="exit code 1 if a change could be taken back by hand only, or cannot be read")]
Form = Annotated[str, typer.Option("-o", "--output", help=f"{', '.join(FORMS)}")]


def register(app: typer.Typer) -> None:
    """Add `plan`."""
    app.command("plan")(plan)


def plan(
    commits: Range = "",
    place: Place = Path(),
    config: Settings = None,
    names: Names = None,
    folder: Folder = ".",
    namespace: Home = "",
    strict: Strict = False,
    output: Form = "text",
) -> None:
    """Say what a range of commits would release: which workloads, by which fields, in which steps, and the way back of each.

    Files are rendered as the daemon renders them, from the commits of this clone. Where a folder is named, it is what a commit of all that
    is not committed yet would release. The way back is the edit that would be written if the version failed, found out as a release does
    when it opens. No cluster is asked, so holds, what serves, and policies that adopt a Deployment are not known.

    Example: reconciler plan main...HEAD -c reconciler.yaml -o markdown --strict
    Example: reconciler plan HEAD --path overlays/production
    Example: reconciler plan overlays/production
    """
    if output not in FORMS:
        raise typer.BadParameter(f"-o {output}: there is no such form; there are {', '.join(FORMS)}")
    sources = configured(config, names) if config or names else (_unnamed(folder, namespace),)
    plans = asyncio.run(_plans(place.resolve(), commits, sources))
    match output:
        case "text":
            typer.echo(as_text(plans))
        case "markdown":
            typer.echo(as_markdown(plans))
        case _:
            show_plain([plain(one) for one in plans], output)
    if strict and any(one.by_hand or one.problems for one in plans):
        raise typer.Exit(NEGATIVE)


def _unnamed(folder: str, namespace: str) -> SourceSettings:
    """What a source would say that names nothing but its folder."""
    return SourceSettings(
        name="",
        repository="",
        branch="",
        path=folder,
        environment="",
        interval=timedelta(),
        apply=False,
        allow=Allow(),
        namespace=namespace,
    )


async def _plans(place: Path, commits: str, sources: Iterable[SourceSettings]) -> list[ReleasePlan]:
    import httpx

    from reconciler.app.cli.local import clone_at

    known = list(sources)
    async with clone_at(place) as clone, httpx.AsyncClient(trust_env=False) as http:
        folder = (place / commits).resolve()
        if ".." in commits or not commits or not folder.is_dir() or not await clone.names_no_commit(commits):
            ends = await clone.ends(commits)
        else:
            ends = await clone.worktree()
            known = [source if source.name else replace(source, path=_from(clone.top, folder)) for source in known]
        return [await _plan_of(clone.source(source, known, http), ends) for source in known]


def _from(top: Path, folder: Path) -> str:
    """A folder as a source of this clone names it. Raises Terminal for one of another repository."""
    if not folder.is_relative_to(top):
        raise Terminal(f"{folder}: is not in {top}; name its clone with -C")
    return folder.relative_to(top).as_posix()


async def _plan_of(source: "GitSource", ends: tuple[str, str]) -> ReleasePlan:
    from reconciler.sources.changes import changes

    base, head = ends
    before, after = await _version(source, base), await _version(source, head)
    releases = [await _release(source, change, (before, after)) for change in changes(before, after)]
    return ReleasePlan(
        source=source.settings.name or source.settings.path,
        base=base,
        head=head,
        releases=tuple(releases),
        problems=tuple(str(problem) for problem in after.problems if not problem.note),
    )


async def _version(source: "GitSource", commit: str) -> "Parsed":
    found = await source.parsed_at(commit)
    if found is None:
        raise Terminal(f"commit {commit[:12]} cannot be read from this clone: fetch the whole history")
    return found


async def _release(source: "GitSource", change: "WorkloadChange", versions: tuple["Parsed", "Parsed"]) -> PlannedRelease:
    """One change, with the way back from it where a version is replaced."""
    from reconciler.sources.follow import way_back

    before, after = versions
    replaces = change.moved and not change.added and not change.removed
    outcome = await way_back(source, before, (after, after), change.workload) if replaces else None
    return planned(change, versions, outcome)
