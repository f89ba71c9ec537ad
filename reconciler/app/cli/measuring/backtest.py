"""`reconciler backtest`: what a template would have said of releases whose end is known."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.analysis.trial import TrialArguments
from reconciler.app.cli.cluster import ClusterPlace, located
from reconciler.app.cli.completion import rollout_names, template_names
from reconciler.app.cli.measuring.analyze import Files, Given, LinkLocal, Secrets, Server
from reconciler.app.cli.measuring.templates import Chosen, arguments_of, chosen_in_cluster, chosen_in_files, run_of, template_name
from reconciler.app.cli.output import Output, clean, show_plain, span, table
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.views.measuring.backtest_page import backtest_page, duration, exposed, summary
from reconciler.views.measuring.backtests import (
    Backtest,
    BacktestRow,
    Hindsight,
    ReleaseWindow,
    arguments_for,
    backtest,
    recent,
    windows_in,
    windows_of,
)
from reconciler.views.view import plain

if TYPE_CHECKING:
    from reconciler.app.cli.measuring.trials import TrialHands, TrialOptions

LARGEST = 1 << 20
DAYS = re.compile(r"(\d+)d")
REASONS = 10
"""Releases without an answer whose reason stands below the table; `-o json` has all."""
LONGEST = timedelta(days=36_500)
HEAD = ("RELEASE", "BEGAN", "KNOWN", "SAID", "AFTER", "REQUESTS", "HINDSIGHT")


def days(text: str | timedelta) -> timedelta:
    """A length of time that may also be days: `30d`."""
    found = DAYS.fullmatch(text) if isinstance(text, str) else None
    length = timedelta(days=min(int(found[1][:9]), 999_999)) if found else span(text)
    if length > LONGEST:
        raise typer.BadParameter(f"{text!r} is longer than anything remembers: write 30d")
    return length


Template = Annotated[str, typer.Argument(help="NAME, or KIND/NAME; with -f it may be left out", autocompletion=template_names)]
Since = Annotated[timedelta, typer.Option("--since", parser=days, metavar="DURATION", help="how far back: 30d, 12h")]
Releases = Annotated[Path | None, typer.Option("--releases", help="a YAML or JSON list of releases, instead of Release objects")]
FromGit = Annotated[Path | None, typer.Option("--from-git", help="a file or folder of a clone: its commits are the releases")]
OfRollout = Annotated[str, typer.Option("--rollout", help="only the releases of this Rollout", autocompletion=rollout_names)]
Length = Annotated[timedelta, typer.Option("--window", parser=days, metavar="DURATION", help="of releases that name no end")]
Volume = Annotated[str, typer.Option("--volume", help="PromQL: requests per second of the new version; arguments stand in it")]
Page = Annotated[Path | None, typer.Option("--html", help="also write a page with a chart per release to this file")]


def register(app: typer.Typer) -> None:
    """Add `backtest`."""
    app.command("backtest")(located(backtesting))


def backtesting(
    place: ClusterPlace,
    template: Template = "",
    files: Files = None,
    args: Given = None,
    since: Since = timedelta(days=30),
    releases: Releases = None,
    from_git: FromGit = None,
    rollout: OfRollout = "",
    window: Length = timedelta(minutes=30),
    volume: Volume = "",
    prometheus: Server = "",
    secrets: Secrets = "reconciler",
    link_local: LinkLocal = False,
    html: Page = None,
    output: Output = "text",
) -> None:
    """Replay an AnalysisTemplate over past releases: what it would have caught and missed, its false alarms, how soon.

    Releases are those of the cluster, of a file, or the commits of a clone. In --arg {podHash}, {release}, {workload}, {namespace},
    {environment} and {commit} stand for those of each. Exit code 0 if every release whose end is known was told right, 1 if not.

    Example: reconciler backtest success-rate -n shop --rollout web --arg hash={podHash} --since 30d
    Example: reconciler backtest -f analysis.yaml --releases releases.yaml --arg service=web --html backtest.html
    """
    from reconciler.app.cli.measuring.trials import TrialOptions, trial_hands

    if not template and not files:
        raise typer.BadParameter("name a template, or a file with -f")
    if sum(map(bool, (rollout, releases, from_git))) > 1:
        raise typer.BadParameter("--rollout, --releases and --from-git each say where releases come from: keep one of them")
    asked, given, begin = template_name(template), arguments_of(args or ()), datetime.now(UTC) - since
    options = TrialOptions(prometheus=prometheus, secrets=secrets, link_local=link_local)
    chosen = chosen_in_files(files, asked, place.namespace) if files else None
    listed = _listed(releases, from_git, window)

    async def replay() -> Backtest:
        async with trial_hands(place, options) as hands:
            found = chosen or await chosen_in_cluster(hands.client, asked, place.namespace)
            known = listed if listed is not None else await _recorded(hands, place, rollout)
            return await _replay(hands, found, (recent(known, begin), given, volume), options)

    found = asyncio.run(replay())
    if html is not None:
        _write(html, backtest_page(found))
    _print(found, output)
    if not found.flawless:
        raise typer.Exit(1)


def _listed(releases: Path | None, from_git: Path | None, length: timedelta) -> tuple[ReleaseWindow, ...] | None:
    """The releases of a file or a clone; None: those of the cluster."""
    if from_git is not None:
        from reconciler.app.cli.offline.commits import windows_from_git

        return windows_from_git(from_git, length)
    return windows_in(_document(releases), str(releases), length) if releases else None


async def _recorded(hands: "TrialHands", place: ClusterPlace, rollout: str) -> tuple[ReleaseWindow, ...]:
    """The Release objects of a namespace, or of one workload."""
    from reconciler.kernel.resources import RELEASES
    from reconciler.releases.manifest import parse_releases

    found = parse_releases(await hands.client.list(RELEASES, place.namespace))
    return windows_of(one for one in found if not rollout or one.spec.workload.name == rollout)


async def _replay(
    hands: "TrialHands", chosen: Chosen, asked: tuple[Sequence[ReleaseWindow], Mapping[str, str], str], options: "TrialOptions"
) -> Backtest:
    from reconciler.app.cli.measuring.replays import ReplayHands, refuse_forgetful, replayed
    from reconciler.app.cli.measuring.trials import checked_terms, redirected, trial_metadata, trial_providers

    windows, given, volume = asked
    if not windows:
        raise Terminal("no release in this time was deployed and judged: look further back with --since, or name others with --releases")
    found = []
    for window in windows:
        run = redirected(run_of(chosen, TrialArguments(arguments_for(window, given)), trial_metadata(chosen.namespace)), options.prometheus)
        providers = trial_providers(hands, run, options)
        try:
            refuse_forgetful(checked_terms(hands, run), providers)
        except Terminal as error:
            raise Terminal(f"{chosen.words}: {error}") from error
        found.append(await replayed(ReplayHands(hands.client, providers), chosen.words, (run, window), volume))
    return backtest(chosen.words, found)


def _document(path: Path) -> Any:
    """A file of releases, decoded. Raises Terminal."""
    import yaml

    try:
        if path.stat().st_size > LARGEST:
            raise Terminal(f"{path}: larger than 1 MiB: not read")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "it nests too deeply, or holds a value that is none"
        raise Terminal(f"{path}{line}: is no YAML: {reason}") from error


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Terminal(f"--html {path}: cannot be written: {reason_of(error)}") from error


def _print(found: Backtest, output: str) -> None:
    if output != "text":
        show_plain(plain(found), output)
        return
    typer.echo("\n".join(table([HEAD, *map(_cells, found.releases)])))
    silent = [row for row in found.releases if row.hindsight is Hindsight.NO_ANSWER]
    for row in silent[:REASONS]:
        typer.echo(clean(f"{row.release}: {row.reason}"))
    typer.echo(clean(f"{found.template}: {summary(found)}"))


def _cells(row: BacktestRow) -> tuple[str, ...]:
    cells = (row.release, row.start, row.outcome, row.said, duration(row.seconds_to_detect), exposed(row.requests_exposed), row.hindsight)
    return tuple(clean(str(cell)) or "-" for cell in cells)
