"""The command line: parses, lets one command module do the reading, and turns the ending into an exit code (DESIGN 21).

0 ok · 1 a negative answer (degraded, differs, unsupported, expectation missed) · 2 usage · 3 unreadable input ·
4 cluster or Git unreachable.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from reconciler.model.errors import Terminal, Transient

UNREADABLE, UNREACHABLE = 3, 4
COMMANDS = ("daemon", "demo", "show", "verbs", "releases", "holds", "freeze", "diff", "lint")

app = typer.Typer(
    name="reconciler",
    help="Releases driven by Git: a push is previewed, stepped, measured — then proven, or sent home and restored in Git.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the number is the process's exit code."""
    for name in COMMANDS:
        import_module(f"reconciler.app.cli.{name}").register(app)
    try:
        typer.main.get_command(app).main(args=list(arguments), prog_name="reconciler")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    except Transient as error:
        return _complain(error, UNREACHABLE)
    except Terminal as error:
        return _complain(error, UNREADABLE)
    return 0


@app.command()
def version(output: Annotated[str, typer.Option("-o", "--output", help="text or json")] = "text") -> None:
    """Print the version of reconciler and of the Python that runs it."""
    import platform
    from importlib.metadata import version as installed

    if output == "json":
        import json

        typer.echo(json.dumps({"reconciler": installed("reconciler"), "python": platform.python_version()}))
        return
    typer.echo(f"reconciler {installed('reconciler')} (Python {platform.python_version()})")


def _complain(error: Exception, code: int) -> int:
    print(f"reconciler: {error}", file=sys.stderr)  # noqa: T201 -- the one place that writes an error to a person
    return code
