"""`reconciler plan`: what a range of commits would release, and what the way back would be, before it is merged. No cluster is asked."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.cli.configured import Names, configured
from reconciler.app.cli.measuring.templates import arguments_of
from reconciler.app.cli.offline.plan_measuring import NO_SERVER, PlanQuestions, metrics, templates_in
from reconciler.app.cli.output import show_plain
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.sources.settings import Allow, SourceSettings
from reconciler.views.plans import NOT_MEASURED, PlanMeasurements, PlannedRelease, ReleasePlan, as_markdown, as_text, planned, released_by
from reconciler.views.view import plain

if TYPE_CHECKING:
    from reconciler.app.cli.offline.plan_measuring import Metrics
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
Server = Annotated[str, typer.Option("--prometheus", help="ask this server what metrics have data; default: `prometheus` of -c")]
Given = Annotated[list[str] | None, typer.Option("--arg", metavar="NAME=VALUE", help="an argument of analyses; may be repeated")]
RequestRate = Annotated[str, typer.Option("--volume", metavar="PROMQL", help="requests a second of {{args.namespace}}, {{args.workload}}")]
Offline = Annotated[bool, typer.Option("--offline", help="ask no server, also where the settings name one")]
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
    prometheus: Server = "",
    args: Given = None,
    volume: RequestRate = "",
    offline: Offline = False,
    output: Form = "text",
) -> None:
    """Say what a range of commits would release: which workloads, by which fields, in which steps, and the way back of each.

    Files are rendered as the daemon renders them, from the commits of this clone. Where a folder is named, it is what a commit of all that
    is not committed yet would release. The way back is the edit that would be written if the version failed, found out as a release does
    when it opens. No cluster is asked, so holds, what serves, and policies that adopt a Deployment are not known.

    Where a Prometheus is known, each metric of the analyses is asked once: which have data now; and, by --volume, how many requests each
    step exposes. Only that server is asked, never the address or the account that a file names.

    Example: reconciler plan main...HEAD -c reconciler.yaml -o markdown --strict
    Example: reconciler plan HEAD --path overlays/production
    Example: reconciler plan overlays/production
    """
    if output not in FORMS:
        raise typer.BadParameter(f"-o {output}: there is no such form; there are {', '.join(FORMS)}")
    sources = configured(config, names) if config or names else (_unnamed(folder, namespace),)
    asking = _asking(config, (prometheus, volume), args or (), offline=offline)
    plans = asyncio.run(_plans(place.resolve(), commits, sources, asking))
    match output:
        case "text":
            typer.echo(as_text(plans))
        case "markdown":
            typer.echo(as_markdown(plans))
        case _:
            show_plain([plain(one) for one in plans], output)
    if strict and any(one.by_hand or one.problems for one in plans):
        raise typer.Exit(NEGATIVE)


def _asking(config: Path | None, said: tuple[str, str], args: Iterable[str], *, offline: bool) -> PlanQuestions:
    """What is asked of which server. Options that contradict each other are a usage error."""
    prometheus, volume = said
    given = arguments_of(args)
    if offline:
        if prometheus or volume or given:
            raise typer.BadParameter("--offline asks no server: leave out --prometheus, --volume and --arg")
        return PlanQuestions(why_not="--offline asks no server")
    if config is not None and not prometheus:
        from reconciler.app.settings.reading import load_settings

        prometheus = load_settings(config).prometheus
    if volume and not prometheus:
        raise typer.BadParameter(f"--volume: {NO_SERVER}")
    return PlanQuestions(address=prometheus, given=given, volume=volume)


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


async def _plans(place: Path, commits: str, sources: Iterable[SourceSettings], asking: PlanQuestions) -> list[ReleasePlan]:
    from reconciler.app.cli.offline.local import clone_at
    from reconciler.web.client import ClientSettings, open_client

    known = list(sources)
    async with clone_at(place) as clone, open_client(ClientSettings(environment=True)) as http, metrics(asking) as measuring:
        folder = (place / commits).resolve()
        if ".." in commits or not commits or not folder.is_dir() or not await clone.names_no_commit(commits):
            ends = await clone.ends(commits)
        else:
            ends = await clone.worktree()
            known = [source if source.name else replace(source, path=_from(clone.top, folder)) for source in known]
        looks = [await _look(clone.source(source, known, http), ends) for source in known]
        templates = templates_in([located.manifest for look in looks for located in look.after.manifests])
        return [await _plan_of(look, ends, PlanMetrics(measuring, templates)) for look in looks]


def _from(top: Path, folder: Path) -> str:
    """A folder as a source of this clone names it. Raises Terminal for one of another repository."""
    if not folder.is_relative_to(top):
        raise Terminal(f"{folder}: is not in {top}; name its clone with -C")
    return folder.relative_to(top).as_posix()


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One source at both ends of the range."""

    source: "GitSource"
    before: "Parsed"
    after: "Parsed"


@dataclass(frozen=True, slots=True)
class PlanMetrics:
    """What answers about metrics, and the templates of all sources: one may name those of another."""

    metrics: "Metrics"
    templates: Sequence[Manifest]

    async def about(self, rollout: Manifest | None) -> PlanMeasurements:
        """What is measured of one Rollout now."""
        if rollout is None:
            return NOT_MEASURED
        volume = await self.metrics.volume(namespace_of(rollout), name_of(rollout))
        return PlanMeasurements(volume, await self.metrics.of(rollout, self.templates))


async def _look(source: "GitSource", ends: tuple[str, str]) -> PlannedSource:
    base, head = ends
    return PlannedSource(source, await _version(source, base), await _version(source, head))


async def _plan_of(look: PlannedSource, ends: tuple[str, str], asked: PlanMetrics) -> ReleasePlan:
    from reconciler.sources.changes import changes

    settings = look.source.settings
    releases = [await _release(look, change, asked) for change in changes(look.before, look.after)]
    return ReleasePlan(
        source=settings.name or settings.path,
        base=ends[0],
        head=ends[1],
        releases=tuple(releases),
        problems=tuple(str(problem) for problem in look.after.problems if not problem.note),
    )


async def _version(source: "GitSource", commit: str) -> "Parsed":
    found = await source.parsed_at(commit)
    if found is None:
        raise Terminal(f"commit {commit[:12]} cannot be read from this clone: fetch the whole history")
    return found


async def _release(look: PlannedSource, change: "WorkloadChange", asked: PlanMetrics) -> PlannedRelease:
    """One change, with the way back from it where a version is replaced."""
    from reconciler.sources.follow import way_back

    before, after = look.before, look.after
    replaces = change.moved and not change.added and not change.removed
    outcome = await way_back(look.source, before, (after, after), change.workload) if replaces else None
    return planned(change, (before, after), outcome, await asked.about(released_by(change, after)))
