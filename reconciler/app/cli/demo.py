"""`reconciler demo`: watch real pushes become releases, a good one proven and bad ones sent home."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from reconciler.kernel.errors import Terminal

EXPECTATION_MISSED = 1


def register(app: typer.Typer) -> None:
    """Add `demo` to the command line."""

    @app.command("demo")
    def demo(
        out: Annotated[Path, typer.Option(help="the folder for index.html, demo.json and the daemon's log")] = Path("demo-out"),
        json: Annotated[bool, typer.Option("--json", help="print every expectation with what was observed; only JSON on stdout")] = False,
        interactive: Annotated[bool, typer.Option("--interactive", help="then keep everything up to try things by hand")] = False,
        only: Annotated[str, typer.Option(help="one app only: storefront, web, checkout, search or catalog")] = "",
        whole: Annotated[bool, typer.Option("--all", help="also the catalog, a dark canary behind nginx: about three minutes")] = False,
        compare: Annotated[bool, typer.Option("--compare", help="then play it under virtual time, and say what went otherwise")] = False,
        repository: Annotated[Path, typer.Option(help="the manifest repository to serve; default: sample-repo")] = Path("sample-repo"),
    ) -> None:
        """Play the story of four apps on this machine: a real Envoy, real pushes over HTTP, a real daemon. About 90 seconds.

        Exit code 0 only if everything happened as told. Example: reconciler demo --only storefront
        """
        how = {"as_json": json, "interactive": interactive, "only": only, "whole": whole, "compare": compare}
        if not _played({"out": out, "sample": repository, **how}):
            raise typer.Exit(EXPECTATION_MISSED)


def _played(asked: Mapping[str, Any]) -> bool:
    """Play; whether everything happened as told. Raises Terminal where the sandbox, or a part of it, is not installed."""
    try:
        from reconciler_sandbox.rehearsal.demo import Order, demonstrate

        return demonstrate(Order(**asked))
    except ImportError as error:
        missing = error.name or str(error)
        if missing.partition(".")[0] == "reconciler":
            raise  # a part of ourselves is no extra
        raise Terminal(f"the demo needs the sandbox, and {missing} is not installed: pip install 'reconciler[sandbox]'") from error
