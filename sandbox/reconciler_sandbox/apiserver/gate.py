"""The gate before every call: who is it, may they, and a record of both. Open as long as no access is configured."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler_sandbox.apiserver.bodies import header
from reconciler_sandbox.apiserver.failures import Failure, unauthorized
from reconciler_sandbox.apiserver.identity import ADMIN, ANONYMOUS, User
from reconciler_sandbox.apiserver.impersonation import acting
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.rights import Asked, Rights
from reconciler_sandbox.apiserver.store import Store
from reconciler_sandbox.client import Call

RECORDS = 20_000
ISSUED = 1_000
VERBS: Mapping[str, str] = {"POST": "create", "PUT": "update", "PATCH": "patch"}
NAMED_VERBS: Mapping[str, str] = {**VERBS, "GET": "get", "DELETE": "delete"}
LIST_VERBS: Mapping[str, str] = {**VERBS, "GET": "list", "DELETE": "deletecollection"}
OPEN = "the sandbox's only user may do everything"


@dataclass(frozen=True, slots=True)
class Record:
    """One call of the audit log."""

    user: str
    asked: Asked
    allowed: bool


@dataclass(frozen=True, slots=True)
class Access:
    """Tokens and the users they stand for. `rbac` false: whoever has a token may do everything; `records` keeps the newest calls."""

    tokens: Mapping[str, User]
    rbac: bool = True
    records: deque[Record] = field(default_factory=lambda: deque(maxlen=RECORDS))


class Gate:
    """Asks for a token and for rights once there is an `access`; before that, everybody is one user who may do everything."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self.access: Access | None = None
        self.rights = Rights(store)
        self._now = now
        self._issued: dict[str, tuple[User, datetime]] = {}

    def identify(self, headers: Mapping[str, str]) -> User:
        """The user of a request. Raises Failure 401 for a token that nobody has, or none where one is needed."""
        if self.access is None:
            return ADMIN
        scheme, _, token = header(headers, "authorization").partition(" ")
        if not token and self.access.rbac:
            return ANONYMOUS
        found = self.holder(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise unauthorized()
        return acting(found, headers, self.admit) if self.access.rbac else found

    def holder(self, token: str) -> User | None:
        """Whom a token stands for now."""
        known = self.access.tokens.get(token) if self.access is not None else None
        if known is not None:
            return known
        user, until = self._issued.get(token, (None, None))
        return user if until is not None and self._now() < until else None

    def issue(self, token: str, user: User, seconds: int) -> None:
        """Let a token stand for a user for some time; the oldest of too many is forgotten."""
        self._issued[token] = (user, self._now() + timedelta(seconds=seconds))
        while len(self._issued) > ISSUED:
            del self._issued[next(iter(self._issued))]

    def may(self, user: User, asked: Asked) -> tuple[bool, str]:
        """Whether a user may do something, and why."""
        if self.access is None or not self.access.rbac:
            return True, OPEN
        grant = self.rights.find(user, asked)
        return grant is not None, grant.reason if grant else ""

    def admit(self, user: User, asked: Asked) -> None:
        """Record a call. Raises Failure 403 if the user may not."""
        if self.access is None:
            return
        allowed, _ = self.may(user, asked)
        self.access.records.append(Record(user.name, asked, allowed))
        if not allowed:
            raise refusal(user, asked)


def asked_of(target: Target, call: Call) -> Asked:
    """What a call to a resource wants to do; who lists or watches one name by a field selector asks for that name."""
    kind, name = target.kind, target.name
    verb = (NAMED_VERBS if name else LIST_VERBS).get(call.method, call.method.lower())
    if call.method == "GET" and not name and asks_to_watch(call):
        verb = "watch"
    if not name and verb in ("list", "watch", "deletecollection"):
        name = _selected(call.query.get("fieldSelector", ""))
    # A path to one Namespace is in that namespace, so that a Role there can allow it.
    namespace = target.name if kind.qualified == "namespaces" else target.namespace
    return Asked(verb, kind.group, kind.plural, target.subresource, namespace, name)


def asks_to_watch(call: Call) -> bool:
    """Whether a GET of a collection is a watch: every value but these two says so."""
    return call.query.get("watch", "false").lower() not in ("false", "0")


def _selected(selector: str) -> str:
    terms = (term.partition("=") for term in selector.split(","))
    return next((value.removeprefix("=") for field, _, value in terms if field.strip() == "metadata.name"), "")


def path_asked(call: Call) -> Asked:
    """What a call to a path that is no resource wants to do."""
    return Asked(call.method.lower(), path=call.path)


def refusal(user: User, asked: Asked) -> Failure:
    """The 403 of a call, in the words of a real server."""
    if asked.path:
        return Failure(403, "Forbidden", f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"')
    qualified = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    subject = f'{qualified} "{asked.name}"' if asked.name else qualified
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    message = f'User "{user.name}" cannot {asked.verb} resource "{asked.whole}" in API group "{asked.group}" {where}'
    details: dict[str, Any] = {
        **({"name": asked.name} if asked.name else {}),
        **({"group": asked.group} if asked.group else {}),
        "kind": asked.resource,
    }
    return Failure(403, "Forbidden", f"{subject} is forbidden: {message}", details)
