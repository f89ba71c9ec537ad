"""The option that every reading command has: text for people or JSON for machines."""

from typing import Annotated

import typer

FORMATS = ("text", "json")


def known(value: str) -> str:
    """The format, if there is one of that name; anything else is a usage error."""
    if value not in FORMATS:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(FORMATS)}")
    return value


Output = Annotated[str, typer.Option("-o", "--output", help="text or json", callback=known)]
