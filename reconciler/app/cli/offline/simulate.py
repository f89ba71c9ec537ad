"""`reconciler simulate`: releases of a folder under virtual time, before they are real."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from reconciler.app.cli.configured import Names, Settings, configured
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.sources.settings import SourceSettings

MISSED = 1
FORMS = ("text", "json", "junit")


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="the folder that a source follows")]
Story = Annotated[Path | None, typer.Option(help="what is released (docs/simulate.md); default: a good and a bad version")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="of objects that name none")]
Page = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="also write one page with charts, timeline and laws to this file")
]
Form = Annotated[str, typer.Option("--output", "-o", help="text, json or junit")]


def register(app: typer.Typer) -> None:
    """Add `simulate` to the command line."""

    @app.command("simulate")
    def simulate(
        folder: Folder,
        story: Story = None,
        seed: Annotated[int, typer.Option(help="0: nothing goes wrong around it; any other number has faults of its own", min=0)] = 0,
        runs: Annotated[int, typer.Option(help="how many seeds, one after the other", min=1)] = 1,
        namespace: Namespace = "default",
        faults: Annotated[str, typer.Option(help="of the faults of a seed only these: refused,lost,conflicting,slow, or none")] = "",
        journals: Annotated[
            Path | None, typer.Option(metavar="FOLDER", help="keep the passes of a release that fails there, for `reconciler replay`")
        ] = None,
        html: Page = None,
        config: Settings = None,
        names: Names = None,
        output: Form = "text",
    ) -> None:
        """Release every Rollout of a folder under virtual time: hours in a second, no cluster, nothing is written anywhere.

        A folder with a kustomization or a Helm chart is rendered, with -c as the source says that follows it.

        Exit code 0 only if every expectation and every law held. Example: reconciler simulate environments/demo
        """
        if output not in FORMS:
            raise Terminal(f"-o {output}: there is no such form; there are {', '.join(FORMS)}")
        if not _simulated((folder, story, seed, runs, namespace, configured(config, names)), output, (journals, html, faults)):
            raise typer.Exit(MISSED)

    @app.command("rehearse")
    def rehearse(
        folder: Folder,
        story: Story = None,
        namespace: Namespace = "default",
        html: Page = None,
        config: Settings = None,
        names: Names = None,
        output: Form = "text",
    ) -> None:
        """Release every Rollout of a folder in real time on this machine: a real Envoy, real git, the daemon as it is deployed.

        It takes as long as the release does: an hour of pauses is an hour. `simulate` plays the same story in a second.

        Exit code 0 only if every expectation and every law held. Example: reconciler rehearse environments/demo --story story.yaml
        """
        if output not in FORMS:
            raise Terminal(f"-o {output}: there is no such form; there are {', '.join(FORMS)}")
        if not _rehearsed((folder, story, 0, 1, namespace, configured(config, names)), output, html):
            raise typer.Exit(MISSED)


def _simulated(
    asked: tuple[Path, Path | None, int, int, str, tuple[SourceSettings, ...]], output: str, further: tuple[Path | None, Path | None, str]
) -> bool:
    """Play and print; whether everything held. Raises Terminal where the sandbox, or a part of it, is not installed."""
    try:
        from reconciler_sandbox.rehearsal.played import as_json, as_junit, as_text
        from reconciler_sandbox.rehearsal.played_page import played_page
        from reconciler_sandbox.rehearsal.virtual.faults import FAULTS
        from reconciler_sandbox.rehearsal.virtual.simulate import Order, simulate
    except ImportError as error:
        raise _without_sandbox("simulate", error) from error
    folder, story, seed, runs, namespace, sources = asked
    journals, html, faults = further
    known = tuple(name for name in faults.split(",") if name != "none")
    for name in known if faults else ():
        if name not in FAULTS:
            raise Terminal(f"--faults {name}: there is no such fault; there are {', '.join(FAULTS)}, or none")
    order = Order(folder=folder, story=story, seed=seed, runs=runs, namespace=namespace, sources=sources, journals=journals)
    refuse_unwritable(html)
    played = simulate(replace(order, faults=known if faults else None))
    if html is not None:
        write_page(html, played_page(f"Releases of {folder} under virtual time", played))
    typer.echo({"text": as_text, "json": as_json, "junit": as_junit}[output](played), nl=False)
    return not any(one.wrong for one in played)


def _rehearsed(asked: tuple[Path, Path | None, int, int, str, tuple[SourceSettings, ...]], output: str, html: Path | None) -> bool:
    """Play in real time, telling what happens as it does; whether everything held. Raises Terminal where a part is not installed."""
    try:
        from reconciler_sandbox.rehearsal.played import as_json, as_junit, ending_of
        from reconciler_sandbox.rehearsal.played_page import played_page
        from reconciler_sandbox.rehearsal.rehearse import rehearse
        from reconciler_sandbox.rehearsal.virtual.simulate import Order
    except ImportError as error:
        raise _without_sandbox("rehearse", error) from error
    folder, story, seed, runs, namespace, sources = asked
    heads: list[str] = []
    refuse_unwritable(html)

    def tell(name: str, moment: object) -> None:
        if heads[-1:] != [name]:
            heads.append(name)
            typer.echo(name, err=output != "text")
        typer.echo(f"  {moment}", err=output != "text")

    played = rehearse(Order(folder=folder, story=story, seed=seed, runs=runs, namespace=namespace, sources=sources), tell)
    if html is not None:
        write_page(html, played_page(f"Releases of {folder} in real time", played))
    typer.echo({"text": ending_of, "json": as_json, "junit": as_junit}[output](played), nl=False)
    return not any(one.wrong for one in played)


def _without_sandbox(command: str, error: ImportError) -> Exception:
    """One line that says what to install; a part of ourselves is no extra."""
    missing = error.name or str(error)
    if missing.partition(".")[0] == "reconciler":
        return error
    return Terminal(f"{command} needs the sandbox, and {missing} is not installed: pip install 'reconciler[sandbox]'")


def refuse_unwritable(page: Path | None) -> None:
    """Raises Terminal before anything is played: a page that cannot be written at the end would cost the whole play."""
    if page is not None and (page.is_dir() or not page.absolute().parent.is_dir()):
        raise Terminal(f"--html {page}: cannot be written: name a file in a folder that is there")


def write_page(path: Path, page: str) -> None:
    """Raises Terminal where it cannot be written."""
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise Terminal(f"--html {path}: cannot be written: {reason_of(error)}") from error
