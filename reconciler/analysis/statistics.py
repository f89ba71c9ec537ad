"""How sure it is that a canary is worse than its baseline, however often one looks: an e-process over counts. Pure, stdlib only.

The question. In window t the canary answered n requests, k of them bad, and the baseline m requests, j of them bad. Nothing is known of the
rates but what the policy tolerates: the canary's rate p is at most `effect` times the baseline's rate q. Both may be different in each
window, and so may the weights, that is n and m.

One window. Say that the true ratio were R and not `effect`. Where p = R q, a bad request falls on the canary with the chance
s(R) = R n / (R n + m). The likelihood ratio of that split, between R and r = effect, is

    f = (s(R) / s(r))^k * ((1 - s(R)) / (1 - s(r)))^j          a = s(R) / s(r),  b = (1 - s(R)) / (1 - s(r))

Its expectation is at most 1 for every p <= r q, not only for rare events: with independent requests E f = (1 - p + p a)^n (1 - q + q b)^m,
which is at most exp(n p (a - 1) + m q (b - 1)) because 1 + x <= e^x. As a > 1 the exponent grows with p, and at p = r q it is
q (r n + m) (s(R) - s(r) + s(r) - s(R)) = 0. Requests of a window need no common rate either: only the mean rates enter the exponent.

All windows. The product over the windows is therefore a supermartingale that starts at 1, whatever the weights were and however the rates
moved. So is a mixture of such products over several R (`MIXTURE`), which spares us to know how bad it is. By Ville's inequality it ever
reaches 1/budget with a chance of at most `budget`: at any look, at the end, or at a look that was added because a number looked suspicious.
Several metrics: the mean of such processes is one again, however the metrics hang together; so the budget is shared by asking their mean.

What it rests on: that requests go bad independently of each other once the rates of a window are given. Many errors of one cause are worth
less than their number; a rate that moves does no harm.

Sources. Lindon, Sanden, Shirikian, "Rapid Regression Detection in Software Deployments through Sequential Testing", KDD 2022 (arXiv
2205.14762): canaries judged by sequential tests whose false alarms are bounded at every look. Lindon, Malek, "Anytime-Valid Inference for
Multinomial Count Data", NeurIPS 2022 (arXiv 2011.03567): counts by the share that falls on each arm, with a Dirichlet mixture over shares.
Here the mixture is over ratios and has few points, as only so it stays exact when weights change and the null is a whole range of ratios.
Latencies are counts too: of the requests above one bound of a histogram. A bound is tested, not the whole distribution as there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, isfinite, log

MIXTURE: tuple[tuple[float, float], ...] = ((2, 0.25), (4, 0.3), (10, 0.3), (100, 0.15))
"""Ratios that are bet on, as multiples of `effect`, and the share of each; the last one finds errors beside a baseline that has none."""
START: tuple[float, ...] = (0.0,) * len(MIXTURE)
"""The logarithms of the products before any window."""
LARGEST = 690.0
"""Logarithms are cut here before they become a number: e^690 is about 10^299."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one side answered in one window, and how much of it was bad."""

    requests: float
    bad: float

    @property
    def possible(self) -> bool:
        """False for what no counter can say: negative, not a number, or more bad requests than requests."""
        return isfinite(self.requests) and 0 <= self.bad <= self.requests


@dataclass(frozen=True, slots=True)
class Window:
    """Both sides over the same time."""

    canary: Counts
    baseline: Counts

    @property
    def tells(self) -> bool:
        """True when both sides were asked; one side alone compares nothing."""
        return self.canary.requests > 0 and self.baseline.requests > 0


def advance(scores: Sequence[float], window: Window, effect: float) -> tuple[float, ...]:
    """The logarithms of the products after one more window; a window that tells nothing leaves them as they are."""
    if not window.tells:
        return tuple(scores)
    canary, baseline = window.canary.requests, window.baseline.requests
    tolerated = _share(effect, canary, baseline)

    def gained(multiple: float) -> float:
        claimed = _share(effect * multiple, canary, baseline)
        # 1 - s(R) is m / (R n + m), so b is a quotient of two denominators: exact also where both shares are nearly 1.
        rest = log((effect * canary + baseline) / (effect * multiple * canary + baseline))
        return window.canary.bad * log(claimed / tolerated) + window.baseline.bad * rest

    return tuple(score + gained(multiple) for score, (multiple, _) in zip(scores, MIXTURE, strict=True))


def e_value(scores: Sequence[float]) -> float:
    """How many times likelier the counts are if the canary is worse than tolerated: the mixture of the products, 1 at the start."""
    most = max(scores)
    mixed = fsum(share * exp(score - most) for score, (_, share) in zip(scores, MIXTURE, strict=True))
    return exp(min(most + log(mixed), LARGEST))


def shared(values: Sequence[float]) -> float:
    """One e-value of several metrics that share a budget: their mean; 1 without any."""
    return fsum(values) / len(values) if values else 1.0


def exceeds(value: float, budget: float) -> bool:
    """True when a canary that is no worse than tolerated ever gets here with a chance of at most `budget`."""
    return value * budget >= 1


def _share(times: float, canary: float, baseline: float) -> float:
    """Which share of bad requests falls on a canary whose rate is `times` the baseline's."""
    return times * canary / (times * canary + baseline)
