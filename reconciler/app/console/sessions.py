"""Who is logged in: kept in this process only, bounded, each until its end."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.app.console.persons import Person
from reconciler.kernel.clock import Clock

MOST = 5000


@dataclass(frozen=True, slots=True)
class Session:
    """One login; `credential` asks about the person again, and is never shown."""

    key: str
    person: Person
    until: datetime
    credential: str
    openid: bool

    def __repr__(self) -> str:
        return f"Session({self.person.name!r}, until={self.until})"


class Sessions:
    """Logins by their key, the oldest leaves when there are too many."""

    def __init__(self, clock: Clock, length: timedelta) -> None:
        self._clock = clock
        self._length = length
        self._kept: OrderedDict[str, Session] = OrderedDict()

    def begin(self, person: Person, credential: str, *, openid: bool) -> Session:
        """A new login."""
        session = Session(secrets.token_urlsafe(18), person, self._clock.now() + self._length, credential, openid)
        self._kept[session.key] = session
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return session

    def find(self, key: str) -> Session | None:
        """The login of a key; None once it has ended."""
        found = self._kept.get(key)
        if found is not None and found.until <= self._clock.now():
            self.end(key)
            return None
        return found

    def renew(self, session: Session, person: Person) -> None:
        """What is known of the person now."""
        if session.key in self._kept:
            self._kept[session.key] = replace(session, person=person)

    def end(self, key: str) -> None:
        self._kept.pop(key, None)
