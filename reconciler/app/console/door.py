"""Who is let in, and as whom they write: with the key that was printed beside the address, or not at all."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from reconciler.app.console.sealing import Seal
from reconciler.app.console.throttle import Throttle
from reconciler.app.console.verbs import ConsoleVerb
from reconciler.app.console.visitors import EVERYTHING, EVERYWHERE_VIEWER, Visitor
from reconciler.app.person import who
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal
from reconciler.kube.client import Client
from reconciler.web.listener import Route

SESSION = "session"
DAYS = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class LoginWays:
    """How people can say who they are."""

    openid: bool = False
    token: bool = False

    @property
    def any(self) -> bool:
        return self.openid or self.token


class LoginRefused(Exception):
    """A login that did not succeed, in words for the person, with the status to answer."""

    def __init__(self, words: str, status: int, wait: int = 0) -> None:
        super().__init__(words)
        self.status = status
        self.wait = wait


class ConsoleDoor(Protocol):
    """Knows people, and acts for them."""

    ways: LoginWays

    def visitor(self, request: web.Request) -> Visitor | None:
        """Who asks; None when they have to say so first."""
        ...

    def routes(self) -> Sequence[Route]:
        """Where they say so."""
        ...

    async def actor(self, visitor: Visitor, verb: ConsoleVerb, namespace: str) -> Client:
        """A client that writes as this person. Raises Terminal with who refuses the verb, Transient when that cannot be asked."""
        ...


class OpenDoor(ConsoleDoor):
    """Every visitor may look and none may press: a daemon that does not know who people are."""

    ways = LoginWays()

    def visitor(self, _: web.Request) -> Visitor | None:
        return Visitor(grants=EVERYWHERE_VIEWER)

    def routes(self) -> Sequence[Route]:
        return ()

    async def actor(self, visitor: Visitor, verb: ConsoleVerb, namespace: str) -> Client:
        raise Terminal(f"{verb.name} in {namespace or 'all namespaces'}: nobody is known here, {visitor.name or 'not you either'}")


class KeyDoor(ConsoleDoor):
    """Everybody on this machine may look; to press, a person opens the address with the key, which only their terminal has shown.

    What is done is done with the rights of the kubeconfig: a port on loopback is open to every user of the machine, those rights are not.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self.ways = LoginWays()
        self.key = secrets.token_urlsafe(24)
        self._client = client
        self._seal = Seal(clock)
        self._throttle = Throttle(clock)
        self._name = ""

    def visitor(self, request: web.Request) -> Visitor | None:
        found = self._seal.opened(SESSION, request.cookies.get(cookie_name(request), ""))
        if found is None:
            return Visitor(grants=EVERYWHERE_VIEWER)
        return Visitor(name=str(found["name"]), session=str(found["sid"]), grants=EVERYTHING)

    def routes(self) -> Sequence[Route]:
        return (Route("GET", "/enter", self._enter),)

    async def actor(self, visitor: Visitor, verb: ConsoleVerb, namespace: str) -> Client:
        return self._client

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        waits = self._throttle.waits(request.remote or "")
        if waits:
            return web.Response(status=429, text=f"too many wrong keys: wait {waits} s\n", headers={"Retry-After": str(waits)})
        if not hmac.compare_digest(request.query.get("key", "").encode(), self.key.encode()):
            self._throttle.failed(request.remote or "")
            return web.Response(status=403, text="this is not the key: open the address that `reconciler console` has printed\n")
        self._name = self._name or await who(self._client)
        answer = web.Response(status=303, headers={"Location": "/"})
        session = self._seal.closed(SESSION, {"sid": secrets.token_urlsafe(12), "name": self._name}, DAYS)
        answer.set_cookie(cookie_name(request), session, httponly=True, samesite="Strict", path="/")
        return answer


def cookie_name(request: web.Request) -> str:
    """A cookie of this console alone: browsers send cookies of one host to all its ports."""
    port = request.host.rpartition(":")[2] if not request.host.endswith("]") else ""
    return f"reconciler-{port}" if port.isdigit() else "reconciler"
