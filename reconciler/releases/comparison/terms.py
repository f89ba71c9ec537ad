"""What a policy compares while a release is on its way: canary and baseline, by counters, with a budget of false failures (ADR 0032)."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMetric:
    """A share of requests that is bad. Selectors of counters, one for both sides: `{{args.hash}}` stands for the side that is asked.

    `bad` counts bad requests; or `good` counts the others, as a bucket of a histogram does with those that were fast enough.
    """

    name: str
    requests: str
    bad: str = ""
    good: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """How a canary is compared with its baseline.

    `baseline`: `stable` or `previous` are pods that serve anyway; `experiment` is a pair of the canary, made for the comparison (pair.py).
    `effect`: how many times the baseline's rate is tolerated. `budget`: the chance of a failure of a canary that is no worse than that, per
    release. `every`: how long one window of counts is. `warm_up`: from its first request on, so long nothing counts. `minimum_requests`:
    with fewer of either side it is not enough evidence.
    """

    metrics: tuple[ComparedMetric, ...]
    baseline: str = "stable"
    budget: float = 0.01
    effect: float = 1.5
    every: timedelta = timedelta(minutes=1)
    warm_up: timedelta = timedelta(minutes=1)
    minimum_requests: int = 500
    address: str = ""
    secret: str = ""
    """Of the daemon's namespace; it names the address too, and who we are there."""

    @property
    def paired(self) -> bool:
        """True when the baseline is a pair of the canary that is made and removed by us."""
        return self.baseline == "experiment"

    @property
    def digest(self) -> str:
        """What counts have to have in common to be added up; a policy that is edited begins anew."""
        account = (self.secret,) if self.secret else ()
        asked = repr((self.metrics, self.budget, self.effect, self.every, self.warm_up, self.address, *account))
        return hashlib.sha256(asked.encode()).hexdigest()[:16]
