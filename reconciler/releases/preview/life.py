"""The life of a preview: on record while it is open, probed now and then, and torn down when its time is over. Pure.

The rollout layer opens and closes the way itself (contract 9.1); here it is told, and a version that only testers ever met is brought home
by abort once the policy's `ttl` is over. While users are on the version the steps of the release have the word, and no time runs out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Release, ReleasePhase
from reconciler.releases.preview.record import PreviewRecord
from reconciler.releases.preview.terms import NO_TERMS, Hop, PreviewTerms
from reconciler.rollouts.preview import OpenPreview, previews

SPREADING = timedelta(seconds=5)
"""So long a new route may take to reach every proxy."""


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """Where to ask, with which header (None: which one is not known), and through which services."""

    address: str
    header: tuple[str, str] | None
    hops: tuple[Hop, ...]
    at: datetime


def previewed(release: Release, terms: PreviewTerms | None, facts: ReleaseFacts, now: datetime) -> PreviewRecord | None:
    """The record after this look; unchanged while nothing is."""
    known, found = release.status.preview, _open(release, facts)
    if not found:
        return known if known is None or known.ended is not None else replace(known, ended=now)
    wanted = terms or NO_TERMS
    same = known if known is not None and known.ended is None else None
    since = same.since if same is not None else now
    return PreviewRecord(
        names=tuple(preview.name for preview in found),
        ways=tuple(dict.fromkeys(way for preview in found for way in preview.conditions)),
        address=found[0].address or wanted.address,
        since=since,
        until=since + wanted.ttl if wanted.ttl is not None else None,
        expired=same is not None and same.expired,
        propagation=facts.propagation or (same.propagation if same is not None else None),
    )


def probe(release: Release, terms: PreviewTerms | None, facts: ReleaseFacts, now: datetime) -> ProbeQuestion | None:
    """What to ask now; None when no probe is due, or the address is not known."""
    known, found = release.status.preview, _open(release, facts)
    if terms is None or not terms.hops or known is None or known.ended is not None or not found or not known.address:
        return None
    due = known.propagation.at + terms.every if known.propagation is not None else known.since + SPREADING
    return ProbeQuestion(known.address, _header(found, terms.value), terms.hops, now) if now >= due else None


def overstayed(known: PreviewRecord | None, facts: ReleaseFacts, now: datetime) -> bool:
    """True when its time is over and only testers ever met the version."""
    if known is None or known.until is None or known.ended is not None or now < known.until:
        return False
    weights = _object(_object(_object(facts.rollout.manifest.get("status")).get("canary")).get("weights"))
    return not _object(weights.get("canary")).get("weight")


def _open(release: Release, facts: ReleaseFacts) -> tuple[OpenPreview, ...]:
    live, own = facts.live, release.status.pod_hash
    ours = live is not None and bool(own) and live.current == own and release.status.phase is ReleasePhase.PROGRESSING
    if live is None or not ours or release.decided or facts.overridden or facts.newer or live.promoted or live.aborted:
        return ()
    return previews(live.manifest)


def _header(found: tuple[OpenPreview, ...], value: str) -> tuple[str, str] | None:
    """A header that is let in: as its condition says, or with the policy's value where that is an expression."""
    known = next((preview.header for preview in found if preview.header is not None), None)
    if known is None:
        return None
    name, said = known
    chosen = value or said
    return (name, chosen) if chosen else None


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
