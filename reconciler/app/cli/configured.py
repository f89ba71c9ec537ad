"""The sources of a `reconciler.yaml`, for commands that look at files as a source does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from reconciler.kernel.errors import Terminal
from reconciler.sources.settings import SourceSettings

Settings = Annotated[
    Path | None, typer.Option("-c", "--config", metavar="FILE", help="a reconciler.yaml: folders are rendered as its sources say")
]
Names = Annotated[list[str] | None, typer.Option("--source", metavar="NAME", help="with -c: only this source; may be repeated")]


def configured(config: Path | None, names: Sequence[str] | None) -> tuple[SourceSettings, ...]:
    """The sources of a settings file, or those named; none without a file. Raises Terminal; names without a file are a usage error."""
    if config is None:
        if names:
            raise typer.BadParameter("--source needs -c: sources have their names from a reconciler.yaml")
        return ()
    from reconciler.app.settings.reading import load_settings

    sources = {source.name: source for source in load_settings(config).sources}
    for name in names or ():
        if name not in sources:
            raise Terminal(f"{config}: there is no source {name!r}; there are {', '.join(sources) or 'none'}")
    return tuple(source for name, source in sources.items() if not names or name in names)
