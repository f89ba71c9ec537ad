"""False failures and power of the comparison of a canary with its baseline, by simulated releases, beside the test that does not know
how often it is looked at: a one-sided z-test of the counts so far at 1 %, asked anew at every look.

A release here is a canary whose weight rises from 5 % over 20 % to 50 %, with one look a minute and two metrics that share the budget:
errors (0.1 % of requests) and slow requests (1 %). Every interval is Wilson's, at 95 %.

What no test can do stands beside what ours does: `fewest` is the information bound. A test that fails a tolerated canary with a chance
of at most `budget`, however the baseline's own rate may be, has failed a worse one with a chance of ½ by its t-th request only if t times
the information of one request is at least kl(½, budget) (data processing); the tolerated canary that is hardest to tell from it decides.
`oracle` is our process when it is told the true ratio beforehand, which nobody knows.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, log, log1p, sqrt
from statistics import median

from benchmarks.measure import Row
from reconciler.analysis.statistics import START, Counts, Window, advance, e_value, exceeds, shared

BUDGET, EFFECT, MISSED = 0.01, 1.5, 0.05
ERRORS, SLOW = 0.001, 0.01
LOOKS, RATES = (5, 50, 200), (5, 50, 500)
WEIGHTS = (0.05, 0.2, 0.5)
SECONDS = 60
NAIVE_Z = 2.326
MOST_REQUESTS, STEP = 20_000, 20
Z = 1.96


@dataclass(frozen=True, slots=True)
class Course:
    """How a release is looked at, and how often the canary's rates are those of the baseline."""

    looks: int
    rate: int
    times: float = 1.0


class Faults:
    """Bad requests of a given rate among requests that come one after the other: exact, at the cost of the bad ones only."""

    def __init__(self, dice: random.Random, rate: float) -> None:
        self._dice, self._scale = dice, log1p(-rate)
        self._until = self._gap()

    def among(self, requests: int) -> int:
        """How many of the next requests are bad."""
        found = 0
        while self._until < requests:
            found, self._until = found + 1, self._until + 1 + self._gap()
        self._until -= requests
        return found

    def _gap(self) -> int:
        return int(log(1 - self._dice.random()) / self._scale)


def rows(releases: int = 600) -> list[Row]:
    """False failures by looks and traffic, then what a canary with 1 % errors costs until it is found, by weight."""
    honest = [_false_failures(Course(looks, rate), releases) for looks in LOOKS for rate in RATES]
    return [*honest, *[row for weight in WEIGHTS for row in _power(weight, releases)], *[_course(rate, releases) for rate in RATES]]


def _false_failures(course: Course, releases: int) -> Row:
    failed, edge, naive = (
        _share_of(releases, lambda dice: _fails(dice, course)),
        _share_of(releases, lambda dice: _fails(dice, Course(course.looks, course.rate, EFFECT))),
        _share_of(releases, lambda dice: _naive_fails(dice, course)),
    )
    beside = f"of {releases} releases, 95 %: {_interval(failed, releases)}; canary at {EFFECT}x: {_percent(edge)}; naive: {_percent(naive)}"
    beside += f" ({_interval(naive, releases)})"
    return Row(f"false failures, {course.looks} looks, {course.rate} rps", failed * 100, BUDGET * 100, "%", beside)


def _share_of(releases: int, fails: Callable[[random.Random], bool]) -> float:
    return sum(fails(random.Random(seed)) for seed in range(releases)) / releases


def _windows(dice: random.Random, course: Course, rate: float) -> Iterator[Window]:
    canary, baseline = Faults(dice, rate * course.times), Faults(dice, rate)
    for look in range(course.looks):
        weight = WEIGHTS[look * len(WEIGHTS) // course.looks]
        mine = round(course.rate * SECONDS * weight)
        others = course.rate * SECONDS - mine
        yield Window(Counts(mine, canary.among(mine)), Counts(others, baseline.among(others)))


def _fails(dice: random.Random, course: Course) -> bool:
    """True when the release is ever called worse than tolerated."""
    scores = [START, START]
    for windows in zip(*[_windows(dice, course, rate) for rate in (ERRORS, SLOW)], strict=True):
        scores = [advance(before, window, EFFECT) for before, window in zip(scores, windows, strict=True)]
        if exceeds(shared([e_value(one) for one in scores]), BUDGET):
            return True
    return False


def _naive_fails(dice: random.Random, course: Course) -> bool:
    """True when a z-test of what was counted so far ever says 1 %, for one metric alone."""
    n = m = k = j = 0.0
    for window in _windows(dice, course, ERRORS):
        n, k = n + window.canary.requests, k + window.canary.bad
        m, j = m + window.baseline.requests, j + window.baseline.bad
        pooled = (k + j) / (n + m)
        if pooled and (k / n - j / m) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)) > NAIVE_Z:
            return True
    return False


def _power(weight: float, releases: int) -> list[Row]:
    """How many canaries with 1 % errors beside 0.1 % are never found, and how many requests of the canary it takes."""
    needed = [_requests_to_verdict(random.Random(seed), weight) for seed in range(releases)]
    told = median(_requests_of_an_oracle(random.Random(seed), weight) for seed in range(releases))
    missed = sum(1 for requests in needed if requests == inf) / releases
    late = sorted(needed)[int(releases * 0.95)]
    name = f"0.1 % → 1 % at weight {weight:.0%}"
    bounds = f"fewest of any test {fewest(weight):.0f}, oracle {told:g}"
    beside = f"median of {releases}, 95 %: {_median_interval(needed)}; 95 % are found by {late:g}; {bounds}"
    return [
        Row(f"missed, {name}", missed * 100, MISSED * 100, "%", f"95 %: {_interval(missed, releases)}, within {MOST_REQUESTS} requests"),
        Row(
            f"requests of the canary, {name}",
            median(needed),
            600,
            "",
            beside,
        ),
    ]


def _course(rate: int, releases: int) -> Row:
    """The same canary in a release as the shipped policy asks for it: first at a low weight, until 5,000 requests, then at higher ones."""
    needed = [_requests_in_a_release(random.Random(seed), rate) for seed in range(releases)]
    missed = sum(1 for requests in needed if requests == inf) / releases
    beside = f"median of {releases}, 95 %: {_median_interval(needed)}; missed: {_interval(missed, releases)}"
    return Row(f"requests of the canary, release at {rate} rps", median(needed), 600, "", beside)


def _requests_in_a_release(dice: random.Random, rate: int) -> float:
    """Windows of a minute; the weight rises once the canary has answered 5,000 and 10,000 requests."""
    canary, baseline, scores, asked = Faults(dice, 10 * ERRORS), Faults(dice, ERRORS), START, 0
    while asked < MOST_REQUESTS:
        mine = max(round(rate * SECONDS * WEIGHTS[min(asked // 5000, 2)]), 1)
        others = rate * SECONDS - mine
        scores, asked = (
            advance(scores, Window(Counts(mine, canary.among(mine)), Counts(others, baseline.among(others))), EFFECT),
            asked + mine,
        )
        if exceeds(e_value(scores), BUDGET):
            return asked
    return inf


def _requests_to_verdict(dice: random.Random, weight: float) -> float:
    canary, baseline, scores = Faults(dice, 10 * ERRORS), Faults(dice, ERRORS), START
    others = round(STEP * (1 - weight) / weight)
    for asked in range(STEP, MOST_REQUESTS + 1, STEP):
        scores = advance(scores, Window(Counts(STEP, canary.among(STEP)), Counts(others, baseline.among(others))), EFFECT)
        if exceeds(e_value(scores), BUDGET):
            return asked
    return inf


def _requests_of_an_oracle(dice: random.Random, weight: float) -> float:
    """As ours, but betting on the true ratio alone."""
    canary, baseline, score = Faults(dice, 10 * ERRORS), Faults(dice, ERRORS), 0.0
    odds = weight / (1 - weight)
    tolerated, true = _falls_on_canary(EFFECT * odds), _falls_on_canary(10 * odds)
    others = round(STEP / odds)
    for asked in range(STEP, MOST_REQUESTS + 1, STEP):
        score += canary.among(STEP) * log(true / tolerated) + baseline.among(others) * log((1 - true) / (1 - tolerated))
        if score >= log(1 / BUDGET):
            return asked
    return inf


def fewest(weight: float) -> float:
    """Below so many requests of the canary no test has found half of the canaries with 1 % errors beside 0.1 %, whatever it does."""
    odds = weight / (1 - weight)
    tolerated, true = _falls_on_canary(EFFECT * odds), _falls_on_canary(10 * odds)
    per_request = (10 * ERRORS + ERRORS / odds) * _divergence(true, tolerated)
    return _divergence(0.5, BUDGET) / per_request


def _falls_on_canary(odds: float) -> float:
    """The share of bad requests that falls on the canary, from how many times the baseline's it has."""
    return odds / (1 + odds)


def _divergence(one: float, other: float) -> float:
    """Kullback and Leibler's, of two coins."""
    return one * log(one / other) + (1 - one) * log((1 - one) / (1 - other))


def _median_interval(needed: list[float]) -> str:
    """By order statistics: free of any shape."""
    known, half = sorted(needed), Z * sqrt(len(needed)) / 2
    low, high = int(len(known) / 2 - half), min(len(known) - 1, int(len(known) / 2 + half) + 1)
    return f"{known[max(low, 0)]:g} – {known[high]:g}"


def _interval(share: float, count: int) -> str:
    middle = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z * sqrt(share * (1 - share) / count + Z * Z / (4 * count * count)) / (1 + Z * Z / count)
    return f"{_percent(max(0.0, middle - half))} – {_percent(middle + half)}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
