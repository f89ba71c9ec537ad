"""`reconciler replay`: what a daemon decided then, decided again by this edition from the same facts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.app.cli.output import clean
from reconciler.kernel.errors import Terminal
from reconciler.views.replanned import Replanned, differences

DIFFERS = 1


def register(app: typer.Typer) -> None:
    """Add `replay` to the command line."""

    @app.command("replay")
    def replay(
        files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="journals, see docs/replay.md")],
        about: Annotated[str, typer.Option(help="only passes about what is so called: NAMESPACE/NAME, or a source's name")] = "",
        kind: Annotated[str, typer.Option(help="only passes of rollout, experiment, release or source")] = "",
    ) -> None:
        """Plan the passes of a journal again with this edition, and show what it decides differently.

        No cluster is asked, nothing is written anywhere. Exit code 0 only if every pass is decided as it was.
        Example: reconciler replay journal.jsonl.1 journal.jsonl
        """
        if kind and kind not in planners():
            raise Terminal(f"--kind {kind}: there is no such pass; there are {', '.join(planners())}")
        planned = list(planned_again(files, about=about, kind=kind))
        for one in planned:
            for line in () if one.same else one.lines():
                typer.echo(clean(line))
        wrong, unread = sum(bool(one.differences) for one in planned), sum(bool(one.problem) for one in planned)
        typer.echo(f"{len(planned)} passes planned again: {len(planned) - wrong - unread} the same, {wrong} differ, {unread} cannot be")
        if wrong or unread:
            raise typer.Exit(DIFFERS)


def planners() -> Mapping[str, Callable[..., Any]]:
    """The pure function that decides, by kind of pass."""
    from reconciler.experiments.plan import plan as experiment
    from reconciler.releases.verdict.judge import judge
    from reconciler.rollouts.plan import plan as rollout
    from reconciler.sync.plan import plan as source

    return {"rollout": rollout, "experiment": experiment, "release": judge, "source": source}


def planned_again(files: Sequence[Path], *, about: str = "", kind: str = "") -> Iterator[Replanned]:
    """Each pass of the journals that is asked for. Raises Terminal for a file that is no journal."""
    from reconciler.runtime.journal import KeptPass, entries
    from reconciler.runtime.packing import Packer, Unpackable

    packer, known = Packer(b""), planners()

    def again(entry: KeptPass) -> Replanned:
        planner = known.get(entry.kind)
        if planner is None:
            return Replanned(entry.at, entry.kind, entry.about, problem="this edition knows no such pass")
        try:
            decided = packer.pack(planner(*entry.arguments()))
        except Unpackable as error:
            return Replanned(entry.at, entry.kind, entry.about, problem=str(error))
        except Exception as error:  # whatever the code of today does with facts of then is what is asked for
            return Replanned(entry.at, entry.kind, entry.about, (f"it ends in a bug: {error!r}",))
        return Replanned(entry.at, entry.kind, entry.about, tuple(differences(entry.decided, decided)))

    for file in files:
        yield from (again(one) for one in entries(file) if about in ("", one.about) and kind in ("", one.kind))
