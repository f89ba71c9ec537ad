"""`reconciler analyze`: what an analysis template says right now, before a release depends on it."""

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.analysis.trial import TrialArguments
from reconciler.app.cli.cluster import ClusterPlace, located
from reconciler.app.cli.completion import rollout_names, template_names
from reconciler.app.cli.measuring.templates import (
    Chosen,
    arguments_of,
    chosen_in_cluster,
    chosen_in_files,
    lent_arguments,
    run_of,
    template_name,
)
from reconciler.app.cli.output import Output, clean, show_plain, span
from reconciler.app.cli.watching import FOR_EVER
from reconciler.kernel.errors import Terminal
from reconciler.views.measuring.analyses import (
    TrialVerdict,
    Tried,
    TriedAnalysis,
    TriedMeasurement,
    TriedMetric,
    tried_analysis,
    tried_measurement,
)
from reconciler.views.view import plain

if TYPE_CHECKING:
    from reconciler.analysis.advance import Answer
    from reconciler.analysis.judge import RunTerms
    from reconciler.app.cli.measuring.trials import TrialHands, TrialOptions

EXIT: Mapping[TrialVerdict, int] = {TrialVerdict.PASSED: 0, TrialVerdict.ERROR: 4}
"""Every other verdict is a negative answer."""
NEGATIVE, TERMINATED = 1, 143
REMEMBERED = 1_000
"""Answers that a long watch still tells of."""
Template = Annotated[str, typer.Argument(help="NAME, or KIND/NAME; with -f it may be left out", autocompletion=template_names)]
Files = Annotated[list[Path] | None, typer.Option("-f", "--filename", help="a file or folder that holds it, instead of the cluster")]
Given = Annotated[list[str] | None, typer.Option("--arg", metavar="NAME=VALUE", help="the value of an argument; may be repeated")]
LentBy = Annotated[str, typer.Option("--rollout", help="take the arguments that this Rollout would give", autocompletion=rollout_names)]
Stay = Annotated[bool, typer.Option("-w", "--watch", help="measure as written, with interval and count, until the analysis ends")]
Longest = Annotated[timedelta, typer.Option("--for", parser=span, metavar="DURATION", help="with -w: end it after this time")]
Server = Annotated[str, typer.Option("--prometheus", help="the server to ask, whatever address a metric names (a port-forward)")]
Secrets = Annotated[str, typer.Option("--provider-namespace", help="where the Secrets of providers are: the daemon's namespace")]
LinkLocal = Annotated[bool, typer.Option("--link-local", help="ask link-local addresses too, as `linkLocal` in reconciler.yaml")]
Jobs = Annotated[bool, typer.Option("--jobs", help="let metrics of provider job run their Jobs; they are removed afterwards")]


def register(app: typer.Typer) -> None:
    """Add `analyze`."""
    app.command("analyze")(located(analyze))


def analyze(
    place: ClusterPlace,
    template: Template = "",
    files: Files = None,
    args: Given = None,
    rollout: LentBy = "",
    watch: Stay = False,
    longest: Longest = FOR_EVER,
    prometheus: Server = "",
    secrets: Secrets = "reconciler",
    link_local: LinkLocal = False,
    jobs: Jobs = False,
    output: Output = "text",
) -> None:
    """Run one AnalysisTemplate now: each measurement, its condition with the values in it, and the verdict.

    It comes from the cluster, or from a file. Each metric is measured once and judged as the daemon judges it; nothing is written to the
    cluster. With -w it is measured as written until it ends. Secrets are read as the run would read them, and masked. Exit code 0 passed,
    1 not, 4 it could not be measured.

    Example: reconciler analyze success-rate -n shop --arg service=storefront
    Example: reconciler analyze success-rate -n shop --rollout storefront
    Example: reconciler analyze -f analysis.yaml --arg service=storefront --prometheus http://localhost:9090
    Example: reconciler analyze success-rate -n shop --arg service=storefront -w --for 10m
    """
    from reconciler.app.cli.measuring.trials import TrialOptions

    if not template and not files:
        raise typer.BadParameter("name a template, or a file with -f")
    if longest and not watch:
        raise typer.BadParameter("--for needs -w: without it each metric is measured once")
    asked, given = template_name(template), arguments_of(args or ())
    options = TrialOptions(prometheus=prometheus, secrets=secrets, link_local=link_local, jobs=jobs, watch=watch, longest=longest)
    chosen = chosen_in_files(files, asked, place.namespace) if files else None

    async def tried() -> TriedAnalysis:
        from reconciler.app.cli.measuring.trials import trial_hands

        _end_in_order()
        async with trial_hands(place, options) as hands:
            found = chosen or await chosen_in_cluster(hands.client, asked, place.namespace)
            lent = await lent_arguments(hands.client, found, rollout) if rollout else {}
            return await _tried(hands, (found, TrialArguments(given, lent)), options, output)

    try:
        verdict = asyncio.run(tried()).verdict
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None
    if EXIT.get(verdict, NEGATIVE):
        raise typer.Exit(EXIT.get(verdict, NEGATIVE))


def _end_in_order() -> None:
    """On SIGTERM the trial is cancelled, so that its Jobs are removed; Ctrl-C does so by itself."""
    task = asyncio.current_task()
    assert task is not None, "called by a task"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _tried(hands: "TrialHands", asked: tuple[Chosen, TrialArguments], options: "TrialOptions", output: str) -> TriedAnalysis:
    """Measure and print; in the end the whole trial."""
    from reconciler.app.cli.measuring.trials import redirected, trial_metadata, trial_passes, trial_terms

    chosen, given = asked
    run = redirected(run_of(chosen, given, trial_metadata(chosen.namespace)), options.prometheus)
    try:
        terms = trial_terms(hands, run, options)
    except Terminal as error:
        raise Terminal(f"{chosen.words}: {error}") from error
    answers: list[Answer] = []
    found = None
    async with aclosing(trial_passes(hands, run, terms, options)) as passes:
        async for passed in passes:
            answers = [*answers, *passed.answers][-REMEMBERED:]
            found = tried_analysis(Tried(chosen.words, terms, passed.status, answers))
            if output == "text":
                _say(passed.answers, terms)
            elif options.watch and (passed.answers or found.complete):
                _print_change(found, output)
    assert found is not None, "there is at least one pass"
    if output == "text" or not options.watch:
        _print(found, output)
    return found


def _print_change(found: TriedAnalysis, output: str) -> None:
    """A document of a watch: a line of JSON, or one more of YAML."""
    if output == "json":
        typer.echo(json.dumps(plain(found)))
    else:
        show_plain(plain(found), output)
        typer.echo("---")


def _print(found: TriedAnalysis, output: str) -> None:
    if output != "text":
        show_plain(plain(found), output)
        return
    for metric in found.metrics:
        typer.echo(_standing(metric))
    typer.echo(clean(f"{found.template}: {found.verdict}: {found.reason}"))


def _say(answers: "Sequence[Answer]", terms: "RunTerms") -> None:
    """A block per answer."""
    for answer in answers:
        measured = tried_measurement(answer)
        if measured is not None:
            typer.echo("\n".join(map(_cleaned, _block(answer, measured, rehearsed=answer.task.metric.name in terms.dry_run))))


def _block(answer: "Answer", measured: TriedMeasurement, *, rehearsed: bool) -> Iterator[str]:
    value = f"  value {measured.value}" if measured.value else ""
    empty = "" if measured.founded or measured.phase == "Error" else "  (no data of its own)"
    note = "  (dry run: does not count)" if rehearsed else ""
    yield f"{answer.task.metric.name}  {measured.at}  {measured.phase}{value}{empty}{note}"
    for asked in answer.metadata.values():
        yield f"  asked     {' '.join(asked.split())}"
    for condition in measured.conditions:
        word = "succeeds" if condition.condition == "successCondition" else "fails"
        answered = "cannot be evaluated" if condition.answer is None else f"{condition.worked} is {str(condition.answer).lower()}"
        yield f"  {word:9} when {condition.text}: {answered}"
    if measured.message:
        yield f"  message   {measured.message}"


def _cleaned(line: str) -> str:
    """A line of a block without what would move the cursor; its indent stays."""
    return " " * (len(line) - len(line.lstrip(" "))) + clean(line)


def _standing(metric: TriedMetric) -> str:
    limits = ", ".join(f"{limit.limit} {limit.used} of {'no limit' if limit.allowed is None else limit.allowed}" for limit in metric.limits)
    wanted = f"{metric.count} of {metric.wanted}" if metric.wanted is not None else f"{metric.count}, no count"
    return clean(f"{metric.name}: {metric.phase}: measured {wanted}; used {limits}")
