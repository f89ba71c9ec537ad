"""`reconciler run`: the daemon itself, until SIGTERM."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add `run` to the command line."""

    @app.command("run")
    def run(
        config: Annotated[Path, typer.Option("-c", "--config", help="the settings file, see docs/configuration.md")] = Path(
            "reconciler.yaml"
        ),
        kubeconfig: Annotated[str, typer.Option(help="a kubeconfig file; default: $KUBECONFIG, ~/.kube/config or in-cluster")] = "",
        context: Annotated[str, typer.Option("--context", help="a context of the kubeconfig; default: its current one")] = "",
        read_only: Annotated[bool, typer.Option("--read-only", help="watch and report, write nothing anywhere")] = False,
        listen: Annotated[str, typer.Option(help="host:port of our endpoints, instead of what the settings say")] = "",
        log_format: Annotated[str, typer.Option("--log-format", help="json or text")] = "text",
    ) -> None:
        """Follow the sources, deliver releases, restore what failed. Stops within 5 s of SIGTERM.

        Try it beside a cluster first: reconciler run --read-only -c reconciler.yaml --kubeconfig ~/.kube/config
        """
        from reconciler.app.daemon import Options, serve

        cluster = {"kubeconfig": kubeconfig or None, "context": context or None}
        serve(Options(config=config, **cluster, read_only=read_only, log_format=log_format, listen=listen))
