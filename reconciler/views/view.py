"""What all read models share: frozen plain data that prints as JSON with camelCase names, every field there."""

from typing import Any

import msgspec


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One read model."""


def plain(view: View) -> dict[str, Any]:
    """The view as JSON knows it."""
    found: dict[str, Any] = msgspec.to_builtins(view)
    return found
