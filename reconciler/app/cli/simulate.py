"""`reconciler simulate`: releases of a folder under virtual time, before they are real."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.app.cli.configured import Names, Settings, configured
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.sources.settings import SourceSettings

MISSED = 1
FORMS = ("text", "json", "junit")


def register(app: typer.Typer) -> None:
    """Add `simulate` to the command line."""

    @app.command("simulate")
    def simulate(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder that a source follows")],
        story: Annotated[Path | None, typer.Option(help="what is released (docs/simulate.md); default: a good and a bad version")] = None,
        seed: Annotated[int, typer.Option(help="0: nothing goes wrong around it; any other number has faults of its own", min=0)] = 0,
        runs: Annotated[int, typer.Option(help="how many seeds, one after the other", min=1)] = 1,
        namespace: Annotated[str, typer.Option("--namespace", "-n", help="of objects that name none")] = "default",
        journals: Annotated[
            Path | None, typer.Option(metavar="FOLDER", help="keep the passes of a release that fails there, for `reconciler replay`")
        ] = None,
        html: Annotated[
            Path | None, typer.Option(metavar="FILE", help="also write one page with charts, timeline and laws to this file")
        ] = None,
        config: Settings = None,
        names: Names = None,
        output: Annotated[str, typer.Option("--output", "-o", help="text, json or junit")] = "text",
    ) -> None:
        """Release every Rollout of a folder under virtual time: hours in a second, no cluster, nothing is written anywhere.

        A folder with a kustomization or a Helm chart is rendered, with -c as the source says that follows it.

        Exit code 0 only if every expectation and every law held. Example: reconciler simulate environments/demo
        """
        if output not in FORMS:
            raise Terminal(f"-o {output}: there is no such form; there are {', '.join(FORMS)}")
        if not _simulated((folder, story, seed, runs, namespace, configured(config, names)), output, journals, html):
            raise typer.Exit(MISSED)


def _simulated(
    asked: tuple[Path, Path | None, int, int, str, tuple[SourceSettings, ...]], output: str, journals: Path | None, html: Path | None
) -> bool:
    """Play and print; whether everything held. Raises Terminal where the sandbox, or a part of it, is not installed."""
    try:
        from reconciler_sandbox.rehearsal.played import as_json, as_junit, as_text
        from reconciler_sandbox.rehearsal.played_page import played_page
        from reconciler_sandbox.rehearsal.virtual.simulate import Order, simulate
    except ImportError as error:
        missing = error.name or str(error)
        if missing.partition(".")[0] == "reconciler":
            raise  # a part of ourselves is no extra
        raise Terminal(f"simulate needs the sandbox, and {missing} is not installed: pip install 'reconciler[sandbox]'") from error
    folder, story, seed, runs, namespace, sources = asked
    played = simulate(Order(folder=folder, story=story, seed=seed, runs=runs, namespace=namespace, sources=sources, journals=journals))
    if html is not None:
        write_page(html, played_page(f"Releases of {folder} under virtual time", played))
    typer.echo({"text": as_text, "json": as_json, "junit": as_junit}[output](played), nl=False)
    return not any(one.wrong for one in played)


def write_page(path: Path, page: str) -> None:
    """Raises Terminal where it cannot be written."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Terminal(f"--html {path}: cannot be written: {reason_of(error)}") from error
