"""The command line: parses, lets one command module do the reading, and turns the ending into an exit code (DESIGN 21).

0 ok · 1 a negative answer (degraded, differs, unsupported, expectation missed) · 2 usage · 3 unreadable input ·
4 cluster or Git unreachable.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from reconciler.app.cli.output import Output
from reconciler.kube.errors import ApiError
from reconciler.model.errors import Terminal, Transient

UNREADABLE, UNREACHABLE = 3, 4
COMMANDS = ("daemon", "demo", "show", "verbs", "releases", "holds", "freeze", "diff", "lint")


def command_line() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="reconciler",
        help="Releases driven by Git: a push is previewed, stepped, measured — then proven, or sent home and restored in Git.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command()(version)
    for name in COMMANDS:
        import_module(f"reconciler.app.cli.{name}").register(app)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the number is the process's exit code."""
    try:
        typer.main.get_command(command_line()).main(args=list(arguments), prog_name="reconciler")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    except Transient as error:
        return _complain(error, UNREACHABLE)
    except (Terminal, ApiError) as error:
        return _complain(error, UNREADABLE)
    return 0


def version(output: Output = "text") -> None:
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
