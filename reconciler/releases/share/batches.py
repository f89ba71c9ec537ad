"""Routes held against what they say: the share of requests that the canary serves, beside the weight in force. Pure.

A finding, never a verdict: a weight that another writer pins, or a mesh that does not listen, is told, and changes nothing by itself.
Requests are counted while one weight is in force, and judged in batches: as far apart as `SIGMAS` standard deviations of a binomial share,
and the policy's slack, is no finding. Each batch begins anew, so that a mismatch which is mended is gone with the next.
"""

from datetime import datetime, timedelta
from math import sqrt

from msgspec.structs import replace

from reconciler.kernel.identity import Manifest
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import Release, ReleasePhase
from reconciler.releases.share.record import BATCHES, ObservedShare, ShareFinding
from reconciler.releases.share.sample import ShareQuestion
from reconciler.releases.share.terms import ShareTerms

SETTLING = timedelta(seconds=5)
"""So long after its end a window is asked for: what was scraped last has arrived by then."""
SPREADING = timedelta(seconds=30)
"""So long a new weight may take to reach every proxy."""
SIGMAS = 4.0
TAGGING = ("setHeaderRoute", "setMirrorRoute")


def question(release: Release, terms: ShareTerms, facts: ReleaseFacts, now: datetime) -> ShareQuestion | None:
    """The newest window that is complete and was not looked at; None when there is none."""
    known, asked = release.status.share, _in_force(release, facts)
    if known is None or asked is None or not _continues(known, terms, asked):
        return None
    passed = int((now - SETTLING - known.until) / terms.every)
    if passed < 1:
        return None
    end = known.until + passed * terms.every
    return ShareQuestion(canary=facts.rollout.current, stable=facts.rollout.stable, start=end - terms.every, end=end)


def observed(release: Release, terms: ShareTerms | None, facts: ReleaseFacts, now: datetime) -> ObservedShare | None:
    """The record after this look: begun anew with each weight, or with one more window, or as it was."""
    known = release.status.share
    asked = _in_force(release, facts) if terms is not None else None
    if terms is None or asked is None:
        return known
    weight, total = asked
    if known is None or not _continues(known, terms, asked):
        same = known if known is not None and known.digest == terms.digest else None
        found, batches = (same.found, same.batches) if same is not None else (None, ())
        return ObservedShare(digest=terms.digest, weight=weight, total=total, until=now + SPREADING, found=found, batches=batches)
    sample = facts.share
    if sample is None or sample.question.end <= known.until:
        return known
    seen = replace(known, until=sample.question.end, problem=sample.problem)
    if sample.problem:
        return seen
    seen = replace(seen, canary=seen.canary + sample.canary, stable=seen.stable + sample.stable)
    return _judged(seen, terms, tagged=_tagged(facts.rollout.manifest))


def _judged(known: ObservedShare, terms: ShareTerms, *, tagged: bool) -> ObservedShare:
    """A batch that is large enough becomes the finding. What testers send comes on top: too much is none while routes for them exist."""
    requests = known.canary + known.stable
    if requests < terms.minimum_requests:
        return known
    configured, served = known.weight / known.total, known.canary / requests
    tolerated = SIGMAS * sqrt(configured * (1 - configured) / requests) + terms.slack / 100
    apart = served - configured
    finding = ShareFinding(
        configured=round(configured * 100, 2),
        served=round(served * 100, 2),
        tolerated=round(tolerated * 100, 2),
        requests=requests,
        until=known.until,
        mismatch=apart < -tolerated or (apart > tolerated and not tagged),
    )
    return replace(known, canary=0.0, stable=0.0, found=finding, batches=(*known.batches, finding)[-BATCHES:])


def _continues(known: ObservedShare, terms: ShareTerms, asked: tuple[int, int]) -> bool:
    return known.digest == terms.digest and (known.weight, known.total) == asked


def _in_force(release: Release, facts: ReleaseFacts) -> tuple[int, int] | None:
    """(the canary's weight, that of both) on the Rollout's record; None while users are not on these two alone."""
    live, own = facts.rollout, release.status.pod_hash
    ours = bool(own) and live.current == own and release.status.phase is ReleasePhase.PROGRESSING
    if release.decided or facts.overridden or facts.newer or not ours or live.promoted or live.aborted:
        return None
    if not (live.current.isalnum() and live.stable.isalnum()):  # they become part of a query
        return None
    canary = _object(_object(live.manifest.get("status")).get("canary"))
    weights = _object(canary.get("weights"))
    shares = [_object(weights.get(side)).get("weight") for side in ("canary", "stable")]
    if weights.get("additional") or not all(isinstance(share, int) and not isinstance(share, bool) and share >= 0 for share in shares):
        return None
    weight, rest = (int(share) for share in shares if share is not None)
    return (weight, weight + rest) if weight + rest > 0 else None


def _tagged(rollout: Manifest) -> bool:
    steps = _object(_object(_object(rollout.get("spec")).get("strategy")).get("canary")).get("steps")
    return any(isinstance(step, dict) and step.get(name) for step in (steps if isinstance(steps, list) else ()) for name in TAGGING)


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}
