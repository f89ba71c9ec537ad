"""How many requests a version has answered, by a companion metric: with too few it is not proven."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.model import Verdict
from reconciler.releases.policies.policy import ReleasePolicy
from tests.kit.releases import facts, run
from tests.releases.test_judge import judged, promoted


def counting(*values: str, rate: str = "[1]") -> Manifest:
    """A run that measured a rate, and how many requests there were so far."""
    known = run("Successful", values=(rate,))
    measured = [{"phase": "Successful", "value": value} for value in values]
    known["status"]["metricResults"].append({"name": "volume", "phase": "Successful", "dryRun": True, "measurements": measured})
    return known


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (("[12]", "[499]"), Verdict.NOT_ENOUGH_EVIDENCE),
        (("[12]", "[500]"), Verdict.PASSED),
        (("700", "NaN"), Verdict.PASSED),
        (("[1e+03]",), Verdict.PASSED),
        (("[NaN]", "[+Inf]", "x9000"), Verdict.NOT_ENOUGH_EVIDENCE),
        ((), Verdict.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_a_version_that_answered_too_few_requests_is_not_proven(values: tuple[str, ...], verdict: Verdict) -> None:
    policy = ReleasePolicy(name="p", namespace="shop", minimum_requests=500)
    status = judged(facts(rollout=promoted(analysis=True), runs=(counting(*values),)), policy)
    assert status.verdict is verdict
    assert verdict is Verdict.PASSED or "requests by metric volume, 500 are required" in status.reason
    assert judged(facts(rollout=promoted(analysis=True), runs=(counting(*values),))).verdict is Verdict.PASSED, "nobody asked for requests"


def test_requests_that_were_counted_are_no_evidence_by_themselves() -> None:
    known = counting("[9000]", rate="[NaN]")
    known["status"]["metricResults"][1]["dryRun"] = False
    status = judged(facts(rollout=promoted(analysis=True), runs=(known,)), ReleasePolicy(name="p", namespace="shop", minimum_requests=500))
    assert status.verdict is Verdict.NOT_ENOUGH_EVIDENCE and status.reason.endswith("came without data")
