"""`reconciler demo`: watch real pushes become releases, a good one proven and bad ones sent home."""

from pathlib import Path
from typing import Annotated

import typer

EXPECTATION_MISSED = 1


def register(app: typer.Typer) -> None:
    """Add `demo` to the command line."""

    @app.command("demo")
    def demo(
        out: Annotated[Path, typer.Option(help="the folder for index.html, demo.json and the daemon's log")] = Path("demo-out"),
        json: Annotated[bool, typer.Option("--json", help="print every expectation with what was observed; only JSON on stdout")] = False,
        interactive: Annotated[bool, typer.Option("--interactive", help="then keep everything up to try things by hand")] = False,
        only: Annotated[str, typer.Option(help="one app only: storefront, web, checkout or search")] = "",
        repository: Annotated[Path, typer.Option(help="the manifest repository to serve; default: sample-repo")] = Path("sample-repo"),
    ) -> None:
        """Play the story of four apps on this machine: a real Envoy, real pushes over HTTP, a real daemon. About 90 seconds.

        Exit code 0 only if everything happened as told. Example: reconciler demo --only storefront
        """
        from reconciler_sandbox.rehearsal.demo import Order, demonstrate

        held = demonstrate(Order(out=out, as_json=json, interactive=interactive, only=only, sample=repository))
        if not held:
            raise typer.Exit(EXPECTATION_MISSED)
