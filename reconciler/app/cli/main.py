"""The command line: parses, lets one command module do the reading, and turns the ending into an exit code (DESIGN 21).

0 ok · 1 a negative answer (degraded, differs, unsupported, expectation missed) · 2 usage · 3 unreadable input ·
4 cluster or Git unreachable.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module

import typer

from reconciler.app.cli.output import Output
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.errors import ApiError

UNREADABLE, UNREACHABLE = 3, 4
COMMANDS: Mapping[str, tuple[str, str]] = {
    "version": ("", "Print the version of reconciler and of the Python that runs it."),
    "run": ("daemon", "Follow the sources, deliver releases, restore what failed."),
    "demo": ("demo", "Play the story of four apps on this machine: a real Envoy, real pushes over HTTP, a real daemon."),
    "status": ("show", "Print the phase; wait for the end of a rollout."),
    "explain": ("show", "Say in one sentence what a rollout waits for or why it ended; then rule, value, limit and what to do."),
    "promote": ("verbs", "Resume a paused rollout, or move it to its next step."),
    "abort": ("verbs", "Send traffic home now."),
    "retry": ("verbs", "Try an aborted version again from its first step; a hold on it is lifted."),
    "restart": ("verbs", "Replace the pods one by one, without a new version."),
    "pause": ("verbs", "Hold a rollout where it is; `promote` lets it go on."),
    "undo": ("verbs", "Put an earlier revision's template back, live only: Git still asks for what it asks for."),
    "terminate": ("verbs", "End an analysis run now."),
    "freeze": ("freeze", "Stop writing now."),
    "unfreeze": ("freeze", "Let writing go on; whatever is due is done then."),
    "diff": ("diff", "Compare manifests with the cluster."),
    "lint": ("lint", "Check syntax, schema and references of Rollouts, analysis templates, policies, Services, routes and settings."),
    "get": ("show", "Show one object with everything it owns."),
    "list": ("show", "List objects, a line each."),
    "set": ("verbs", "Change a live object."),
    "releases": ("releases", "Look at releases and their verdicts."),
    "source": ("sources", "Decide what a source waits for: confirm removals that are more than its limit."),
    "hold": ("holds", "Versions that were rejected are held: not deployed again until lifted."),
}
"""Every command, its module and its line in the list: a command line names one of them, and only its module is imported."""


def command_line(only: Collection[str] = COMMANDS) -> typer.Typer:
    """The commands of the named ones' modules; of the others only their names, for the list and for what is mistyped."""
    app = typer.Typer(
        name="reconciler",
        help="Releases driven by Git: a push is previewed, stepped, measured — then proven, or sent home and restored in Git.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    modules = dict.fromkeys(module for name, (module, _line) in COMMANDS.items() if name in only)
    for module in modules:
        if module:
            import_module(f"reconciler.app.cli.{module}").register(app)
        else:
            app.command()(version)
    for name, (module, line) in COMMANDS.items():
        if module not in modules:
            app.command(name, help=line)(_elsewhere)
    return app


def _elsewhere() -> None:
    """Stands for a command that this command line does not name."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the number is the process's exit code."""
    try:
        named = next((argument for argument in arguments if not argument.startswith("-")), "")
        typer.main.get_command(command_line({named})).main(args=list(arguments), prog_name="reconciler")
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
