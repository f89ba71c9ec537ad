"""A comparison in words: for a verdict, the pull request, and the command line. Pure."""

from reconciler.releases.comparison.record import ComparedCounts, Comparison, SideTally
from reconciler.releases.model import ReleaseStatus


def verdict_words(known: Comparison) -> str:
    """Why the canary is worse than tolerated, with the counts of the metric that says most."""
    worst = max(known.metrics, key=lambda counts: counts.e_value)
    times = times_words(worst)
    rate = f", {times} the rate" if times else ""
    return f"{worst.metric}: {side_words(worst.canary)} of the canary beside {side_words(worst.baseline)}{rate}; {rule_words(known)}"


def passed_words(known: Comparison) -> str:
    """What was compared, and that it found nothing."""
    requests = min(counts.canary.requests for counts in known.metrics)
    return f"{requests:.0f} requests of the canary compared in {known.windows} windows: {rule_words(known)}"


def comparison_lines(known: Comparison | None) -> list[str]:
    """One line a metric, then what is tolerated; none while nothing is compared."""
    if known is None:
        return []
    return [*map(_line, known.metrics), rule_words(known)]


def compared_lines(status: ReleaseStatus) -> list[str]:
    """What is on record of the comparison of a release, and what keeps it from being made."""
    refused = [f"no baseline: {status.pair_refused.reason}"] if status.pair_refused is not None else []
    return [*comparison_lines(status.comparison), *refused]


def _line(counts: ComparedCounts) -> str:
    times = times_words(counts)
    said = f"{counts.metric}: {side_words(counts.canary)} of the canary beside {side_words(counts.baseline)}{f', {times}' if times else ''}"
    lost = f"; {counts.lost} windows lost" if counts.lost else ""
    return f"{said}{lost}{f'; not measured: {counts.problem}' if counts.problem else ''}"


def rule_words(known: Comparison) -> str:
    """What is tolerated, and how sure one has to be."""
    return f"{known.effect:g}x is tolerated, e-value {number(known.e_value)} of {number(1 / known.budget)} (budget {known.budget * 100:g}%)"


def side_words(tally: SideTally) -> str:
    if not tally.requests:
        return "no request"
    return f"{tally.bad:.4g} of {tally.requests:.0f} ({tally.bad / tally.requests * 100:.2g}%)"


def times_words(counts: ComparedCounts) -> str:
    """How many times the baseline's rate the canary's is; empty where the baseline has nothing to compare with."""
    if not counts.canary.requests or not counts.baseline.bad:
        return ""
    return f"{counts.canary.bad / counts.canary.requests / (counts.baseline.bad / counts.baseline.requests):.3g}x"


def number(value: float) -> str:
    """An e-value as people read it."""
    return f"{value:.3g}" if value < 1000 else f"{value:.2e}"
