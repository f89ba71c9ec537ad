"""Refusals in the words of a real API server: every one is a Status object."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.kinds import Kind

BODY_LIMIT = 3 * 1024 * 1024

log = logging.getLogger(__name__)


class Failure(Exception):
    """A refused request; `details` are those of the Status, `headers` go with the answer."""

    def __init__(
        self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        self.metadata: dict[str, Any] = {}

    def status(self) -> dict[str, Any]:
        """The Status object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }

    def body(self) -> bytes:
        """The Status object as JSON."""
        return orjson.dumps(self.status())


def _details(kind: Kind, name: str) -> dict[str, Any]:
    group = {"group": kind.group} if kind.group else {}
    return {"name": name, **group, "kind": kind.plural}


def not_found(kind: Kind, name: str) -> Failure:
    """There is no object of that name."""
    return Failure(404, "NotFound", f'{kind.qualified} "{name}" not found', _details(kind, name))


def unknown_path() -> Failure:
    """Nothing is served under this path."""
    return Failure(404, "NotFound", "the server could not find the requested resource")


class _PageNotFound(Failure):
    """Not even a group of the API: what answers knows no Status."""

    def body(self) -> bytes:
        return b"404 page not found\n"


def page_not_found() -> Failure:
    """No group of the API is served under this path."""
    return _PageNotFound(404, "NotFound", "404 page not found", headers={"content-type": "text/plain; charset=utf-8"})


def already_exists(kind: Kind, name: str, *, deleting: bool = False) -> Failure:
    """The name is taken; while its holder is being deleted the message says so."""
    prefix = "object is being deleted: " if deleting else ""
    return Failure(409, "AlreadyExists", f'{prefix}{kind.qualified} "{name}" already exists', _details(kind, name))


STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(kind: Kind, name: str, why: str = STALE) -> Failure:
    """A precondition does not hold."""
    return Failure(409, "Conflict", f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}', _details(kind, name))


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> Failure:
    """The object breaks rules of its kind."""
    texts = [str(cause) for cause in causes]
    text = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    group = kind.group
    group_kind = f"{kind.kind}.{group}" if group else kind.kind
    listed = [{"reason": cause.code, "message": cause.message, "field": cause.field} for cause in causes]
    details = {"name": name, **({"group": group} if group else {}), "kind": kind.kind, "causes": listed}
    return Failure(422, "Invalid", f'{group_kind} "{name}" is invalid: {text}', details)


def bad_patch(why: str) -> Failure:
    """A patch that cannot be carried out on this object; a real server does not say why, and the log here does."""
    log.debug("patch refused: %s", why)
    return Failure(422, "Invalid", "the server rejected our request due to an error in our request")


def bad_request(message: str) -> Failure:
    """The request makes no sense."""
    return Failure(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str, causes: Sequence[Mapping[str, str]] = ()) -> Failure:
    """The request is understood and not allowed."""
    details = {**_details(kind, name), **({"causes": [dict(cause) for cause in causes]} if causes else {})}
    return Failure(403, "Forbidden", f'{kind.qualified} "{name}" is forbidden: {why}', details)


def method_not_allowed() -> Failure:
    """The path exists, the verb does not."""
    return Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def not_acceptable(message: str) -> Failure:
    """There is no answer of a type that was asked for."""
    return Failure(406, "NotAcceptable", message)


def unsupported_media_type(message: str) -> Failure:
    """The body is of a type that is not read here."""
    return Failure(415, "UnsupportedMediaType", message)


def too_large() -> Failure:
    """The body is over the limit."""
    return Failure(413, "RequestEntityTooLarge", f"Request entity too large: limit is {BODY_LIMIT}")


def expired(message: str, details: Mapping[str, Any] | None = None) -> Failure:
    """The history that was asked for is gone."""
    return Failure(410, "Expired", message, details)


def version_ahead(asked: int, current: int) -> Failure:
    """A version that does not exist yet."""
    details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1}
    return Failure(504, "Timeout", f"Timeout: Too large resource version: {asked}, current: {current}", details)


def too_many_requests(message: str, seconds: int, causes: Sequence[Mapping[str, str]] = ()) -> Failure:
    """Not now; try again after some seconds (0: the caller decides)."""
    details: dict[str, Any] = {"causes": [dict(cause) for cause in causes]} if causes else {}
    if not seconds:
        return Failure(429, "TooManyRequests", message, details)
    return Failure(429, "TooManyRequests", message, {**details, "retryAfterSeconds": seconds}, {"Retry-After": str(seconds)})
