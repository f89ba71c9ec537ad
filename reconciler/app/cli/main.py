"""The command line: parses, lets one command module do the reading, and turns the ending into an exit code (ADR 0029).

0 ok · 1 a negative answer (degraded, differs, unsupported, expectation missed) · 2 usage · 3 unreadable input ·
4 cluster or Git unreachable.
"""

import inspect
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from reconciler.app.cli.output import Output, show_plain
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.unusable import reason_of
from reconciler.kube.errors import ApiError

UNREADABLE, UNREACHABLE, INTERRUPTED = 3, 4, 130
COMPLETING = "_RECONCILER_COMPLETE"
COMMANDS: Mapping[str, tuple[str, str]] = {
    "version": ("", "Print the version of reconciler and of the Python that runs it."),
    "run": ("daemon", "Follow the sources, deliver releases, restore what failed."),
    "demo": ("demo", "Play the story of four apps on this machine: a real Envoy, real pushes over HTTP, a real daemon."),
    "simulate": ("offline.simulate", "Release every Rollout of a folder under virtual time: hours in a second, no cluster."),
    "rehearse": (
        "offline.simulate",
        "Release every Rollout of a folder in real time on this machine: a real Envoy, real git, the daemon as it is deployed.",
    ),
    "status": (
        "status",
        "Print the phase, and the newest release beside it; wait for the end of a rollout, or for the verdict of a release.",
    ),
    "explain": ("explaining", "Say in one sentence what a rollout waits for or why it ended; then rule, value, limit and what to do."),
    "console": ("console", "Show releases in a browser: what moved, where traffic is, what was measured, what comes next."),
    "accept": ("accept", "Call the version that serves proven, although its release could not be measured."),
    "distrust": (
        "distrust",
        "Take the proof of a version away: users stay on it, and environments that are new to it do not begin with it.",
    ),
    "promote": ("verbs", "Resume a paused rollout, or move it to its next step."),
    "abort": ("verbs", "Send traffic home now."),
    "retry": ("verbs", "Try an aborted version again from its first step; a hold on it is lifted."),
    "restart": ("verbs", "Replace the pods one by one, without a new version."),
    "pause": ("verbs", "Hold a rollout where it is; `promote` lets it go on."),
    "undo": ("verbs", "Put an earlier revision's template back, live only: Git still asks for what it asks for."),
    "terminate": ("verbs", "End an analysis run, or an experiment, now."),
    "freeze": ("freeze", "Stop writing now."),
    "unfreeze": ("freeze", "Let writing go on, all of it or one half; whatever is due is done then."),
    "analyze": (
        "measuring.analyze",
        "Run one AnalysisTemplate now: each measurement, its condition with the values in it, and the verdict.",
    ),
    "backtest": (
        "measuring.backtest",
        "Replay an AnalysisTemplate over past releases: what it would have caught and missed, its false alarms, how soon.",
    ),
    "diff": ("diff", "Compare manifests with the cluster."),
    "plan": (
        "offline.plan",
        "Say what a range of commits would release: which workloads, by which fields, in which steps, and the way back of each.",
    ),
    "rollback": (
        "offline.rollback",
        "Say, or write into a clone, the edit that leads back to a version that the ledger in Git calls proven. No cluster is asked.",
    ),
    "doctor": (
        "doctor",
        "Say how Argo CD or Flux applies Rollouts: the source to follow, what to ignore, and what a restore cannot reach.",
    ),
    "replay": ("offline.replay", "Plan the passes of a journal again with this edition, and show what it decides differently."),
    "lint": (
        "offline.lint",
        "Check syntax, schema and references of Rollouts, analysis templates, policies, Services, routes and settings.",
    ),
    "compat": (
        "offline.compat",
        "Say of each field of existing Argo manifests whether it is the same here, stricter, better or unsupported.",
    ),
    "set": ("verbs", "Change a live object."),
    "get": ("show", "Show one object with everything it owns."),
    "list": ("show", "List objects, a line each."),
    "releases": ("releases", "Look at releases and their verdicts."),
    "source": ("sources", "Look at sources, and decide what they wait for."),
    "hold": ("holds", "Versions that were rejected are held: not deployed again until lifted."),
}
"""Every command, its module and its line in the list: a command line names one of them, and only its module is imported."""


def _print_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


def command_line(only: Collection[str] = COMMANDS) -> typer.Typer:
    """The commands of the named ones' modules; of the others only their names, for the list and for what is mistyped."""
    app = typer.Typer(
        name="reconciler",
        help="Releases driven by Git: a push is previewed, stepped, measured — then proven, or sent home and restored in Git.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    modules = dict.fromkeys(module for name, (module, _line) in COMMANDS.items() if name in only)
    for module in modules:
        if module:
            import_module(f"reconciler.app.cli.{module}").register(app)
        else:
            app.command()(version)
    _set_examples_apart(app)
    for name, (module, line) in COMMANDS.items():
        if module not in modules:
            app.command(name, help=line)(_elsewhere)
    return app


def _set_examples_apart(app: typer.Typer) -> None:
    """Each example of a help text begins a line of its own; the lines of one paragraph would run together."""
    for command in app.registered_commands:
        text = inspect.getdoc(command.callback) if command.callback is not None and command.help is None else None
        if text:
            command.help = text.replace("\nExample: ", "\n\nExample: ")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _set_examples_apart(group.typer_instance)


def _options(
    version: Annotated[bool, typer.Option("--version", help="print the version and end", callback=_print_version, is_eager=True)] = False,
) -> None:
    """Releases driven by Git: a push is previewed, stepped, measured — then proven, or sent home and restored in Git."""


def _elsewhere() -> None:
    """Stands for a command that this command line does not name."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the number is the process's exit code."""
    try:
        typer.main.get_command(command_line(_named(arguments))).main(args=list(arguments), prog_name="reconciler")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 0
    except Transient as error:
        return _complain(error, UNREACHABLE)
    except (Terminal, ApiError) as error:
        return _complain(error, UNREADABLE)
    except OSError as error:
        if error.filename is not None:
            raise
        return _complain(Terminal(f"what is printed cannot be written: {reason_of(error)}"), UNREADABLE)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _named(arguments: Sequence[str]) -> Collection[str]:
    """The command that a line names; while a shell completes one, what is typed so far stands in its variables."""
    typed = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or "" if COMPLETING in os.environ else ""
    words = typed.split()[1:] if typed else arguments
    return {next((word for word in words if not word.startswith("-")), "")}


def version(output: Output = "text") -> None:
    """Print the version of reconciler and of the Python that runs it."""
    import platform
    from importlib.metadata import version as installed

    if output != "text":
        show_plain({"reconciler": installed("reconciler"), "python": platform.python_version()}, output)
        return
    typer.echo(f"reconciler {installed('reconciler')} (Python {platform.python_version()})")


def _complain(error: Exception, code: int) -> int:
    print(f"reconciler: {error}", file=sys.stderr)  # noqa: T201 -- the one place that writes an error to a person
    return code
