"""How our own kinds are written as JSON: camelCase, absent when empty (ADR 0002)."""

from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone. One without could not be compared with any other, and would end a pass where it is looked at."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What all parts of our own kinds share: frozen, camelCase, defaults left out."""
