"""Who is calling, and who may push: Basic and Bearer credentials, one token a user."""

import base64
import binascii
import hmac
from collections.abc import Collection, Mapping

ANONYMOUS = "anonymous"
TOKEN_USER = "x-access-token"


class Unauthenticated(Exception):
    """The call carries no credentials, or wrong ones; the message is GitHub's."""


class Access:
    """The users of a host. Without any user everybody may do everything as `anonymous`."""

    def __init__(self, users: Mapping[str, str], writers: Collection[str] | None = None) -> None:
        self._tokens = dict(users)
        self._writers = set(users if writers is None else writers)

    def change_token(self, user: str, token: str) -> None:
        """Rotate a user's token, or add a user who may only read; the old token is refused from now on."""
        self._tokens[user] = token

    def token(self, user: str) -> str:
        return self._tokens[user]

    def may_write(self, user: str) -> bool:
        return not self._tokens or user in self._writers

    def identify(self, authorization: str | None) -> str:
        """The user behind an Authorization header."""
        if not self._tokens:
            return ANONYMOUS
        if not authorization:
            raise Unauthenticated("Requires authentication")
        scheme, _, value = authorization.partition(" ")
        user = self._user(scheme.lower(), value.strip())
        if user is None:
            raise Unauthenticated("Bad credentials")
        return user

    def _user(self, scheme: str, value: str) -> str | None:
        if scheme in ("bearer", "token"):
            return self._owner(value)
        if scheme != "basic":
            return None
        try:
            name, _, token = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        owner = self._owner(token)
        return owner if name in (owner, TOKEN_USER) else None

    def _owner(self, token: str) -> str | None:
        matching = [user for user, known in self._tokens.items() if hmac.compare_digest(known.encode(), token.encode())]
        return matching[0] if matching else None
