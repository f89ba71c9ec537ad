"""Who did what to releases, newest first: what people pressed on pages and accepted, and what we did ourselves. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from reconciler.releases.model import EPOCH, Release
from reconciler.views.view import View

OURSELVES = "reconciler"


class AuditEntry(View, frozen=True, kw_only=True):
    """One thing that was done, as it stands in a Release."""

    namespace: str
    workload: str
    release: str
    at: datetime = EPOCH
    by: str = ""
    verb: str = ""
    reason: str = ""
    seen: str = ""
    """What was on the screen of the person."""
    refused: str = ""
    """Why it was not done after all."""
    open: bool = False
    """It is not known whether it was done."""


def audit_of(releases: Iterable[Release], search: str = "") -> list[AuditEntry]:
    """Everything on record that has each word of the search in it."""
    words = search.lower().split()
    found = [entry for release in releases for entry in _entries(release)]
    taken = [entry for entry in found if all(word in _text(entry) for word in words)]
    return sorted(taken, key=lambda entry: (entry.at, entry.release), reverse=True)


def _entries(release: Release) -> Iterator[AuditEntry]:
    status, blank = release.status, AuditEntry(namespace=release.namespace, workload=release.spec.workload.name, release=release.name)
    for press in status.presses:
        told = replace(blank, at=press.at, by=press.by, verb=press.verb, reason=press.reason)
        yield replace(told, seen=press.seen, refused=press.refused, open=press.open)
    for verb in status.verbs:
        yield replace(blank, at=verb.at, by=OURSELVES, verb=verb.verb, reason=verb.reason)
    if status.accepted is not None:
        yield replace(blank, at=status.accepted.at, by=status.accepted.by, verb="accept", reason=status.accepted.reason)


def _text(entry: AuditEntry) -> str:
    return " ".join((entry.by, entry.verb, entry.namespace, entry.workload, entry.release, entry.reason)).lower()
