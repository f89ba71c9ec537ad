"""What the Kubernetes API answers when it does not do what was asked, as exceptions a caller may name."""

from typing import Any

import orjson

from reconciler.kernel.errors import Terminal, Transient


class ApiError(Exception):
    """One Status answer: HTTP code, reason and message of the server (Kubernetes API conventions, "Response Status Kind")."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class NotFound(ApiError):
    """404: no such object."""


class NotServed(ApiError, Transient):
    """404 that names no object: this path is not served. Old servers say so of custom resources for a moment after their start, too."""


class AlreadyExists(ApiError):
    """409 on create: an object of this name is there; observe again, uncached."""


class Conflict(ApiError, Transient):
    """409: another client wrote first; observe again."""


class Gone(ApiError, Transient):
    """410: the history we asked for is no longer kept; list again."""


class Busy(ApiError, Transient):
    """429, 5xx: the server cannot serve this now."""


class Refused(ApiError, Terminal):
    """400, 413, 415, 422: the server will not do this until the request changes."""


class Forbidden(Refused):
    """401, 403: our rights do not suffice. No watch tells when they change, and a server that has just started does not know them yet."""


NOT_SERVED = "HTTP 404: the server does not serve this resource type (yet): is its CustomResourceDefinition installed?"
NAMED: dict[int, type[ApiError]] = {401: Forbidden, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Gone, 429: Busy}


def error_of(status: int, body: bytes, retry_after: str | None = None) -> ApiError:
    """The exception for an answer that is not a success."""
    if status == 404 and not _names_something(body):
        return NotServed(status, "", NOT_SERVED)
    reason, message = _words(status, body)
    error = _kind(status, reason)(status, reason, message)
    if isinstance(error, Busy) and retry_after and retry_after.isdigit():
        error.retry_after = float(retry_after)
    return error


def _kind(status: int, reason: str) -> type[ApiError]:
    if reason == "AlreadyExists":
        return AlreadyExists
    if status >= 500:
        return Busy
    return NAMED.get(status, Refused)


def _names_something(body: bytes) -> bool:
    """True when this is a Status about an object; that of a path which is not served names none, or is no Status."""
    try:
        decoded: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    details = decoded.get("details") if isinstance(decoded, dict) else None
    return isinstance(details, dict) and bool(details.get("name"))


def _words(status: int, body: bytes) -> tuple[str, str]:
    try:
        decoded: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", f"HTTP {status}: {body[:200].decode(errors='replace')}"
    if not isinstance(decoded, dict):
        return "", f"HTTP {status}"
    return str(decoded.get("reason") or ""), str(decoded.get("message") or f"HTTP {status}")
