"""How a canary is compared with its baseline: which window is due, what it adds, and what it means at the end (ADR 0032). Pure.

Nothing is estimated: a window is what counters gained between two moments. Each window counts once, because its end is written in the same
status as its counts, over the version that was read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from msgspec.structs import replace

from reconciler.analysis.statistics import START, Counts, advance, e_value, exceeds, shared
from reconciler.kernel.identity import name_of
from reconciler.releases.comparison.pair import serving_pair
from reconciler.releases.comparison.record import ComparedCounts, Comparison, SideTally
from reconciler.releases.comparison.sample import ComparedSides, MetricAnswer, Sample, WindowQuestion
from reconciler.releases.comparison.terms import Compare
from reconciler.releases.comparison.words import verdict_words
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import PairRefusal, Release, Verdict

SETTLING = timedelta(seconds=5)
"""So long after its end a window is asked for: what was scraped last has arrived by then."""


def sides(release: Release, compare: Compare, facts: ReleaseFacts) -> ComparedSides | None:
    """Who is compared now; None while users are not on both versions, or nothing measured would be about this release."""
    previous, own = release.spec.previous, release.status.pod_hash
    if previous is None or not facts.splits(release):
        return None
    canary = _replica_set(facts, own)
    if compare.paired:
        pair = serving_pair(release, facts)
        return ComparedSides(own, pair, canary, pair) if own.isalnum() and pair else None
    baseline = facts.rollout.stable if compare.baseline == "stable" else previous.pod_hash
    # They become part of a query: a hash that a foreign hand wrote into the status is not let in.
    known = own.isalnum() and baseline.isalnum() and baseline != own
    return ComparedSides(own, baseline, canary, _replica_set(facts, baseline)) if known else None


def _replica_set(facts: ReleaseFacts, pod_hash: str) -> str:
    """The ReplicaSet of a version; a word that no pod's name begins with while there is none."""
    found = facts.replica_set(pod_hash)
    return name_of(found) if found is not None else f"no-replica-set-of-{pod_hash}"


def question(release: Release, compare: Compare, facts: ReleaseFacts, now: datetime) -> WindowQuestion | None:
    """The newest window that is complete and was not looked at; None when there is none."""
    asked, known = sides(release, compare, facts), release.status.comparison
    if asked is None or known is None or known.exceeded or not _continues(known, compare, asked):
        return None
    passed = int((now - SETTLING - known.until) / compare.every)
    if passed < 1:
        return None
    end = known.until + passed * compare.every
    return WindowQuestion(asked, end - compare.every, end, passed - 1)


def compared(release: Release, compare: Compare | None, facts: ReleaseFacts, now: datetime) -> Comparison | None:
    """The record after this look: begun, or with one more window, or as it was."""
    known = release.status.comparison
    if compare is None or (known is not None and known.exceeded):
        return known
    asked = sides(release, compare, facts)
    if asked is None:
        return known
    if known is None or not _continues(known, compare, asked):
        return _begun(compare, asked, now)
    sample = facts.sample
    if sample is None or sample.question.end <= known.until:
        return known
    return _counted(known, compare, sample)


def _begun(compare: Compare, asked: ComparedSides, now: datetime) -> Comparison:
    return Comparison(
        digest=compare.digest,
        canary=asked.canary,
        baseline=asked.baseline,
        budget=compare.budget,
        effect=compare.effect,
        until=now,
        metrics=tuple(ComparedCounts(metric=metric.name, scores=START) for metric in compare.metrics),
    )


def _continues(known: Comparison, compare: Compare, asked: ComparedSides) -> bool:
    """True while the same is asked of the same two; what an older program or a person wrote may not fit either."""
    names = [metric.name for metric in compare.metrics]
    fits = [counts.metric for counts in known.metrics] == names and all(len(counts.scores) == len(START) for counts in known.metrics)
    return fits and known.digest == compare.digest and (known.canary, known.baseline) == (asked.canary, asked.baseline)


def _counted(known: Comparison, compare: Compare, sample: Sample) -> Comparison:
    windows = [found.window for found in sample.answers if found.window is not None]
    # A pair that was made a moment ago is as cold as the canary: then both have to be there.
    began = sample.question.start if any(window.tells if compare.paired else window.canary.requests > 0 for window in windows) else None
    warm_from = known.warm_from or began
    seen = replace(known, until=sample.question.end, missed=known.missed + sample.question.missed, warm_from=warm_from)
    if warm_from is None or sample.question.start < warm_from + compare.warm_up:
        return replace(seen, metrics=_noted(known, sample))
    answers = {found.metric: found for found in sample.answers}
    metrics = tuple(_added(counts, answers[counts.metric], known.effect) for counts in known.metrics)
    value = shared([counts.e_value for counts in metrics])
    return replace(seen, windows=known.windows + 1, metrics=metrics, e_value=value, exceeded=exceeds(value, known.budget))


def _noted(known: Comparison, sample: Sample) -> tuple[ComparedCounts, ...]:
    """Nothing counts before the canary is warm, but what cannot be measured is said from the first look on."""
    lost = {found.metric: found.problem for found in sample.answers}
    return tuple(replace(one, problem=lost[one.metric], lost=one.lost + bool(lost[one.metric])) for one in known.metrics)


def _added(counts: ComparedCounts, found: MetricAnswer, effect: float) -> ComparedCounts:
    if found.window is None:
        return replace(counts, lost=counts.lost + 1, problem=found.problem)
    if not found.window.tells:
        return replace(counts, problem="")
    scores = advance(counts.scores, found.window, effect)
    return replace(
        counts,
        canary=_sum(counts.canary, found.window.canary),
        baseline=_sum(counts.baseline, found.window.baseline),
        scores=scores,
        e_value=e_value(scores),
        problem="",
    )


def _sum(tally: SideTally, counts: Counts) -> SideTally:
    return SideTally(requests=tally.requests + counts.requests, bad=tally.bad + counts.bad)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Why a comparison that found nothing proves nothing."""

    verdict: Verdict
    reason: str


def shortfall(known: Comparison | None, compare: Compare, refused: PairRefusal | None = None) -> Shortfall | None:
    """What is missing at the end: requests, answers, or a baseline that leaves room for worse; None when nothing is.

    Half of the way to a failure, in logarithms, is no proof that it is good: a good canary gets there with a chance of √budget at most.
    """
    if known is None and refused is not None:
        return Shortfall(Verdict.COULD_NOT_MEASURE, f"nothing was compared: {refused.reason}")
    if known is None and compare.paired:
        told = "nothing was compared: the pods of the baseline never served, or users were never on both versions"
        return Shortfall(Verdict.NOT_ENOUGH_EVIDENCE, told)
    if known is None:
        return Shortfall(Verdict.NOT_ENOUGH_EVIDENCE, "nothing was compared: users were never on both versions")
    found = (_metric_shortfall(counts, compare) for counts in known.metrics)
    missing = next((one for one in found if one is not None), None)
    if missing is None and exceeds(known.e_value, sqrt(known.budget)):
        return Shortfall(Verdict.NOT_ENOUGH_EVIDENCE, f"the counts speak against it, but not surely enough: {verdict_words(known)}")
    return missing


def _metric_shortfall(counts: ComparedCounts, compare: Compare) -> Shortfall | None:
    canary, baseline = counts.canary, counts.baseline
    if min(canary.requests, baseline.requests) < compare.minimum_requests:
        if counts.problem:
            return Shortfall(Verdict.COULD_NOT_MEASURE, f"{counts.metric} could not be compared: {counts.problem}")
        met = f"{canary.requests:.0f} requests of the canary and {baseline.requests:.0f} of the baseline were compared"
        return Shortfall(Verdict.NOT_ENOUGH_EVIDENCE, f"{counts.metric}: {met}, {compare.minimum_requests} of each are required")
    if baseline.bad * compare.effect >= baseline.requests:
        told = f"{baseline.bad:.0f} of {baseline.requests:.0f} requests of the baseline are bad, so no canary is {compare.effect:g}x as bad"
        return Shortfall(Verdict.NOT_ENOUGH_EVIDENCE, f"{counts.metric}: {told}: look at the selectors, or take a bound that fewer exceed")
    return None
