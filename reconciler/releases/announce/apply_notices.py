"""Tells every notifier how a release stands, once for each thing that changed; what was told is remembered in the Release."""

import hashlib
from collections.abc import Mapping

import msgspec
import structlog

from reconciler.kernel.errors import Terminal, Transient
from reconciler.releases.announce.notice import Subscription
from reconciler.releases.announce.notice_content import notice_of
from reconciler.releases.announce.pages import page_of
from reconciler.releases.model import Release, Told

REMEMBERED = 1000
"""Tellings that are not on record yet: no more than so many are kept in mind."""
log = structlog.get_logger()


class Notices:
    """Who is told, by name. One that is down keeps nothing from the others, and no release from being judged.

    The record in the Release may fail after people were told. What was told is kept in mind until it is on record, so that only a daemon
    that dies in between tells a thing twice.
    """

    def __init__(self, subscriptions: Mapping[str, Subscription], console: str) -> None:
        """`console` is where people open the console; empty if they have none."""
        self._subscriptions = subscriptions
        self._console = console
        self._unrecorded: dict[tuple[str, str], Told] = {}

    async def tell(self, release: Release) -> tuple[dict[str, Told], bool]:
        """What every notifier of its environment was told, and whether one has to be told again later. A baseline is no news."""
        told, again = dict(release.status.told), False
        asked = {n: s.notifier for n, s in self._subscriptions.items() if s.includes(release.spec.environment)}
        if release.spec.baseline or not asked:
            return told, False
        message = notice_of(release, page_of(self._console, release))
        said = hashlib.sha256(msgspec.json.encode(message)).hexdigest()[:16]
        for name, notifier in asked.items():
            known = self._known((name, message.key), told.get(name, Told()))
            if known.said == said:
                told[name] = known
                continue
            try:
                told[name] = Told(said=said, handle=await notifier.tell(message, known.handle))
                self._keep_in_mind((name, message.key), told[name])
            except (Transient, Terminal) as error:
                log.warning("not notified", notifier=name, release=f"{release.namespace}/{release.name}", reason=str(error))
                again = True
        return told, again

    def _known(self, place: tuple[str, str], recorded: Told) -> Told:
        """What was told last, whether the record of it succeeded or not."""
        kept = self._unrecorded.get(place)
        if kept is None or kept == recorded:
            self._unrecorded.pop(place, None)
            return recorded
        return kept

    def _keep_in_mind(self, place: tuple[str, str], told: Told) -> None:
        self._unrecorded[place] = told
        while len(self._unrecorded) > REMEMBERED:
            del self._unrecorded[next(iter(self._unrecorded))]
