"""The seam to the Kubernetes API: one method. In production it is HTTP; in rehearsals it is the sandbox in process."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `path` starts with a slash, `query` is not yet quoted, `body` is encoded JSON or empty.

    `permit` is asked when the body is about to leave, however long it took to get there; it raises when that must not be any more.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float | None = 30.0
    permit: Callable[[], None] | None = None
    user: str = ""
    """Sent as this user and `groups` (impersonation); empty: as ourselves."""
    groups: tuple[str, ...] = ()

    @property
    def sent_headers(self) -> tuple[tuple[str, str], ...]:
        """What is sent beside the credentials; each group is a header of its own (Kubernetes authentication, "User impersonation")."""
        acting = (("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)) if self.user else ()
        return (*self.headers.items(), *acting)


class Response(Protocol):
    """One answer; valid inside the `async with` that opened it."""

    status: int
    headers: Mapping[str, str]

    async def read(self) -> bytes:
        """The whole body."""
        ...

    def lines(self) -> AsyncIterator[bytes]:
        """The body of a watch, one JSON document a line, until the server ends it."""
        ...


class Transport(Protocol):
    """Opens one request. Raises Transient when no answer came; every HTTP status is an answer."""

    def open(self, request: Request) -> AbstractAsyncContextManager[Response]: ...
