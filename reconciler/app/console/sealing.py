"""Texts that we hand to a browser and know again: signed, for one purpose, for a time."""

import secrets
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from reconciler.kernel.clock import Clock

ALGORITHM = "HS256"
LONGEST = 8192


class Seal:
    """Signs with a key of this process: what it handed out ends with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = OctKey.import_key(secrets.token_bytes(32))

    def closed(self, purpose: str, content: Mapping[str, Any], seconds: float) -> str:
        """The content as a text that only we can make, good for so long and for nothing else."""
        now = self._clock.now().timestamp()
        return jwt.encode({"alg": ALGORITHM}, {**content, "aud": purpose, "exp": now + seconds, "iat": now}, self._key)

    def opened(self, purpose: str, text: str) -> Mapping[str, Any] | None:
        """What was closed; None for what we did not make, made for something else, or made too long ago."""
        if not text or len(text) > LONGEST or not text.isascii():
            return None
        try:
            claims = jwt.decode(text, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        good = claims.get("aud") == purpose and float(claims.get("exp") or 0) > self._clock.now().timestamp()
        return claims if good else None
