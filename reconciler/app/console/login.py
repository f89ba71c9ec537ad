"""Lets people in by OpenID Connect or by a token of the cluster, and writes as them.

What they may do is asked again at each verb: the provider (or a TokenReview) who they are now, the settings what their groups may do, a
SubjectAccessReview whether the cluster would let them. The write itself is theirs, by impersonation, so that the cluster decides.
"""

import hmac
from collections.abc import Sequence

from aiohttp import web

from reconciler.app.console.door import ConsoleDoor, LoginRefused, LoginWays
from reconciler.app.console.openid import LoginAttempt, OpenId
from reconciler.app.console.persons import Person, grants_of
from reconciler.app.console.reviews import person_of_token, require_access
from reconciler.app.console.sealing import Seal
from reconciler.app.console.sessions import Session, Sessions
from reconciler.app.console.throttle import Throttle
from reconciler.app.console.verbs import ConsoleVerb
from reconciler.app.console.visitors import EVERYWHERE_VIEWER, Visitor
from reconciler.app.settings.model import ConsoleSettings, LoginSettings
from reconciler.kernel.address import split_address
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError
from reconciler.kube.fence import Fence
from reconciler.kube.impersonation import Impersonating
from reconciler.kube.transport import Transport
from reconciler.web.listener import Route

LOGIN = "login"
SESSION = "session"
ATTEMPT_SECONDS = 600.0
CALLBACK = "/login/callback"


class LoginDoor(ConsoleDoor):
    """The door of a daemon that knows people."""

    def __init__(self, transport: Transport, clock: Clock, settings: ConsoleSettings, openid: OpenId | None) -> None:
        assert settings.login is not None, "the caller looked"
        self._login: LoginSettings = settings.login
        self._anonymous = settings.anonymous
        self._secure = settings.url.startswith("https://")
        self._transport = transport
        self._client = Client(transport, Fence())
        self._openid = openid
        self._clock = clock
        self._seal = Seal(clock)
        self._throttle = Throttle(clock)
        self._sessions = Sessions(clock, settings.login.session)
        self.ways = LoginWays(openid is not None, settings.login.token)

    def visitor(self, request: web.Request) -> Visitor | None:
        session = self._session(request)
        if session is None:
            return Visitor(grants=EVERYWHERE_VIEWER) if self._anonymous else None
        grants = grants_of(session.person.groups, self._login.roles)
        grants = (*grants, *EVERYWHERE_VIEWER) if self._anonymous else grants
        return Visitor(name=session.person.name, session=session.key, grants=grants)

    def routes(self) -> Sequence[Route]:
        openid = (Route("GET", "/login/openid", self._begin), Route("GET", CALLBACK, self._callback)) if self.ways.openid else ()
        token = (Route("POST", "/login/token", self._token),) if self.ways.token else ()
        return (*openid, *token, Route("POST", "/logout", self._logout))

    async def actor(self, visitor: Visitor, verb: ConsoleVerb, namespace: str) -> Client:
        session = self._sessions.find(visitor.session)
        if session is None:
            raise Terminal("your login has ended: log in again")
        person = await self._now(session)
        self._sessions.renew(session, person)
        today = Visitor(name=person.name, session=session.key, grants=grants_of(person.groups, self._login.roles))
        if not today.may(verb.role, namespace):
            raise Terminal(f"{person.name}: your groups do not give the role {verb.role.name.lower()} there any more")
        await require_access(self._client, person, verb, namespace)
        return Client(Impersonating(self._transport, person.name, person.groups), Fence())

    async def _now(self, session: Session) -> Person:
        """The person as they are known now; while a provider is away, as they were when they logged in."""
        try:
            if session.openid and self._openid is not None:
                return await self._openid.still(session.person, session.credential)
            found = await person_of_token(self._client, session.credential)
        except Transient:
            return session.person
        except Terminal:
            self._sessions.end(session.key)
            raise
        if found is None or found.name != session.person.name:
            self._sessions.end(session.key)
            raise Terminal("the cluster does not know this token any more: log in again")
        return found

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        assert self._openid is not None, "there is no such route without"
        attempt = LoginAttempt.begin(onward(request.query.get("next", "")))
        try:
            place = await self._openid.address(attempt)
        except (Transient, Terminal) as error:
            raise LoginRefused(str(error), 503 if isinstance(error, Transient) else 500) from error
        answer = web.Response(status=303, headers={"Location": place})
        kept = {"state": attempt.state, "nonce": attempt.nonce, "verifier": attempt.verifier, "onward": attempt.onward}
        self._set(answer, LOGIN, self._seal.closed(LOGIN, kept, ATTEMPT_SECONDS), ATTEMPT_SECONDS)
        return answer

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        """Not slowed down: a state cannot be guessed, and behind a proxy a stranger would keep everybody out."""
        assert self._openid is not None, "there is no such route without"
        kept = self._seal.opened(LOGIN, request.cookies.get(self._name(LOGIN), ""))
        if kept is None or not hmac.compare_digest(str(kept["state"]).encode(), request.query.get("state", "").encode()):
            raise LoginRefused("this login was not begun here, or too long ago (state): begin again", 403)
        if "code" not in request.query:
            raise LoginRefused("the identity provider did not let you in: ask who looks after it", 403)
        attempt = LoginAttempt(str(kept["state"]), str(kept["nonce"]), str(kept["verifier"]), str(kept["onward"]))
        try:
            person, access = await self._openid.person(request.query["code"], attempt)
        except Transient as error:
            raise LoginRefused(str(error), 503) from error
        except Terminal as error:
            raise LoginRefused(str(error), 403) from error
        answer = self._let_in(self._sessions.begin(person, access, openid=True), attempt.onward)
        answer.del_cookie(self._name(LOGIN), path="/")
        return answer

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self._slow(request)
        form = await request.post()
        token = str(form.get("token", "")).strip()
        try:
            person = await person_of_token(self._client, token) if token else None
        except (ApiError, Transient, Terminal) as error:
            raise LoginRefused(f"the cluster cannot be asked whose token this is: {error}", 503) from error
        if person is None:
            self._throttle.failed(request.remote or "")
            raise LoginRefused("the cluster knows nobody by this token", 403)
        return self._let_in(self._sessions.begin(person, token, openid=False), onward(str(form.get("next", ""))))

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        session = self._session(request)
        if session is not None:
            self._sessions.end(session.key)
        answer = web.Response(status=303, headers={"Location": "/login"})
        answer.del_cookie(self._name(SESSION), path="/")
        return answer

    def _let_in(self, session: Session, place: str) -> web.Response:
        answer = web.Response(status=303, headers={"Location": place})
        seconds = self._login.session.total_seconds()
        self._set(answer, SESSION, self._seal.closed(SESSION, {"sid": session.key}, seconds), seconds)
        return answer

    def _session(self, request: web.Request) -> Session | None:
        found = self._seal.opened(SESSION, request.cookies.get(self._name(SESSION), ""))
        return self._sessions.find(str(found["sid"])) if found is not None else None

    def _slow(self, request: web.Request) -> None:
        """Raises LoginRefused while the next try from this address has to wait."""
        waits = self._throttle.waits(request.remote or "")
        if waits:
            raise LoginRefused(f"too many tries: wait {waits} s", 429, waits)

    def _name(self, purpose: str) -> str:
        """`__Host-` keeps other hosts of a domain from setting it."""
        return f"__Host-reconciler-{purpose}" if self._secure else f"reconciler-{purpose}"

    def _set(self, answer: web.Response, purpose: str, text: str, seconds: float) -> None:
        """Lax: the provider sends people back here, and links in comments lead here; forms of other sites do not carry it."""
        name, age = self._name(purpose), int(seconds)
        answer.set_cookie(name, text, max_age=age, httponly=True, samesite="Lax", secure=self._secure, path="/")


def onward(place: str) -> str:
    """Where a person wanted to go, if that is a page of ours."""
    parts = split_address(place) if place.startswith("/") and "\\" not in place and place.isprintable() and len(place) < 2000 else None
    return place if parts is not None and not parts.netloc and not place.startswith("//") else "/"
