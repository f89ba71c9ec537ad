"""How our own kinds are written as JSON: camelCase, absent when empty (ADR 0002)."""

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What all parts of our own kinds share: frozen, camelCase, defaults left out."""
