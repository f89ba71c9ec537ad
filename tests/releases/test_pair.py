"""The baseline pair: as large as the canary, of the stable version, ours alone, and gone with every end."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.analysis.statistics import Counts, Window
from reconciler.kernel.identity import Manifest, labels_of, name_of
from reconciler.kernel.plan import Create, Patch, Remove
from reconciler.releases.comparison.pair import PAIR, pair_actions, pair_name
from reconciler.releases.comparison.record import Comparison
from reconciler.releases.comparison.sample import MetricAnswer, Sample, WindowQuestion
from reconciler.releases.comparison.terms import Compare
from reconciler.releases.comparison.windows import compared, question, shortfall, sides
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.model import PairRefusal, Release, ReleasePhase, ReleaseStatus, Verdict
from tests.kit.counters import ERRORS
from tests.kit.releases import BAD, GOOD, NOW, aborted, facts, release, replica_set, rollout

PAIRED = Compare(metrics=(ERRORS,), baseline="experiment", warm_up=timedelta(minutes=1))
MOVING = ReleaseStatus(phase=ReleasePhase.PROGRESSING, pod_hash=BAD)
RUNNING = release(status=MOVING)
NAME = pair_name(RUNNING, GOOD)


def stable() -> Manifest:
    found = replica_set(GOOD, replicas=9)
    found["spec"]["selector"] = {"matchLabels": {"app": "web", "rollouts-pod-template-hash": GOOD}}
    found["spec"]["minReadySeconds"] = 5
    found["spec"]["template"]["metadata"]["annotations"] = {"scrape": "yes"}
    return found


def around(*pairs: Manifest, canary: int = 2, **known: Any) -> ReleaseFacts:
    return facts(replica_sets=(stable(), replica_set(BAD, replicas=canary)), pairs=pairs, **known)


def made() -> Manifest:
    """The pair as the server has it."""
    create = next(action for action in pair_actions(RUNNING, PAIRED, around()) if isinstance(action, Create))
    return {**create.manifest, "metadata": {**create.manifest["metadata"], "uid": "pair-uid"}}


def serving(count: int = 2, **metadata: Any) -> Manifest:
    found = made()
    return {**found, "metadata": {**found["metadata"], **metadata}, "status": {"availableReplicas": count}}


def test_it_is_as_many_pods_of_the_stable_version_and_the_release_owns_it() -> None:
    pair = made()
    assert name_of(pair) == NAME and NAME.startswith("web-baseline-")
    (owner,) = pair["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("Release", "u", True)
    assert (pair["spec"]["replicas"], pair["spec"]["minReadySeconds"]) == (2, 5)
    template = pair["spec"]["template"]
    assert template["spec"] == stable()["spec"]["template"]["spec"] and template["metadata"]["annotations"] == {"scrape": "yes"}


def test_users_of_the_stable_version_reach_it_and_neither_takes_the_pods_of_the_other() -> None:
    """Its pods wear all that the stable Service selects; its selector wants one label more than the stable pods wear."""
    pair = made()
    labels, selected = labels_of(pair["spec"]["template"]), pair["spec"]["selector"]["matchLabels"]
    assert labels_of(stable()["spec"]["template"]).items() <= labels.items()
    assert selected.items() <= labels.items() and selected[PAIR] == NAME
    assert not selected.items() <= labels_of(stable()["spec"]["template"]).items()


def test_what_is_there_as_wanted_is_left_alone_and_it_follows_the_canary() -> None:
    assert pair_actions(RUNNING, PAIRED, around(serving())) == ()
    (grown,) = pair_actions(RUNNING, PAIRED, around(serving(), canary=5))
    assert isinstance(grown, Patch) and grown.body == {"spec": {"replicas": 5}} and grown.ref.name == NAME
    (shrunk,) = pair_actions(RUNNING, PAIRED, around(serving(), canary=0))
    assert isinstance(shrunk, Patch) and shrunk.body == {"spec": {"replicas": 0}}
    assert pair_actions(RUNNING, PAIRED, around(canary=0)) == ()


def exceeded() -> Release:
    record = Comparison(digest="d", canary=BAD, baseline=NAME, budget=0.01, effect=1.5, until=NOW, exceeded=True)
    return release(status=replace(MOVING, comparison=record))


ENDS: dict[str, tuple[Release, Compare | None, ReleaseFacts]] = {
    "promoted": (RUNNING, PAIRED, around(serving(), rollout=rollout(stable=BAD))),
    "aborted": (RUNNING, PAIRED, around(serving(), rollout=rollout(**aborted("x")))),
    "superseded": (RUNNING, PAIRED, around(serving(), newer="release web-3 took over")),
    "overridden": (RUNNING, PAIRED, around(serving(), overridden=True)),
    "another template": (RUNNING, PAIRED, around(serving(), rollout=rollout(current="other"))),
    "decided": (release(status=replace(MOVING, verdict=Verdict.PASSED)), PAIRED, around(serving())),
    "found to be worse": (exceeded(), PAIRED, around(serving())),
    "the policy is another": (RUNNING, Compare(metrics=(ERRORS,)), around(serving())),
    "the policy compares nothing": (RUNNING, None, around(serving())),
    "the Rollout is gone": (RUNNING, PAIRED, around(serving(), rollout=None)),
    "the stable version is gone": (RUNNING, PAIRED, facts(replica_sets=(replica_set(BAD),), pairs=(serving(),))),
}


@pytest.mark.parametrize("end", list(ENDS))
def test_it_goes_with_every_end(end: str) -> None:
    (gone,) = pair_actions(*ENDS[end])
    assert isinstance(gone, Remove) and (gone.ref.name, gone.uid) == (NAME, "pair-uid")


def test_what_is_on_its_way_out_is_neither_removed_again_nor_compared() -> None:
    leaving = serving(deletionTimestamp="2026-11-25T03:00:00Z")
    assert pair_actions(*ENDS["aborted"][:2], around(leaving, rollout=rollout(**aborted("x")))) == ()
    assert pair_actions(RUNNING, PAIRED, around(leaving, canary=7)) == ()
    assert sides(RUNNING, PAIRED, around(leaving)) is None


def test_another_stable_version_has_another_pair() -> None:
    other = replica_set("newer", replicas=9)
    known = facts(rollout=rollout(stable="newer"), replica_sets=(other, replica_set(BAD)), pairs=(serving(),))
    removed, created = [action for action in pair_actions(RUNNING, PAIRED, known) if isinstance(action, Remove | Create)]
    assert isinstance(removed, Remove) and removed.ref.name == NAME
    assert isinstance(created, Create) and name_of(created.manifest) == pair_name(RUNNING, "newer") != NAME


def test_names_stay_short_enough_for_pods_and_two_releases_never_share_one() -> None:
    long = replace(RUNNING, spec=replace(RUNNING.spec, workload=replace(RUNNING.spec.workload, name="a" * 35 + "-.-" + "b" * 100)))
    name = pair_name(long, GOOD)
    assert len(name) + len("-12345") <= 63 and "-.-" not in name and ".-" not in name
    assert len({pair_name(one, GOOD) for one in (RUNNING, release("web-worse"), replace(RUNNING, namespace="b"))}) == 3


def begun() -> Release:
    record = compared(RUNNING, PAIRED, around(serving()), NOW)
    assert record is not None
    return release(status=replace(MOVING, comparison=record))


def test_nothing_is_compared_before_a_pod_of_it_serves() -> None:
    assert compared(RUNNING, PAIRED, around(serving(0)), NOW) is None
    assert compared(RUNNING, PAIRED, around(), NOW) is None


def test_both_sides_are_asked_by_what_tells_them_apart() -> None:
    known = begun()
    asked = question(known, PAIRED, around(serving()), NOW + timedelta(minutes=2))
    assert asked is not None
    assert (asked.sides.canary, asked.sides.canary_replica_set) == (BAD, f"web-{BAD}")
    assert (asked.sides.baseline, asked.sides.baseline_replica_set) == (NAME, NAME)


def test_it_is_warm_once_both_are() -> None:
    known = begun()
    asked = question(known, PAIRED, around(serving()), NOW + timedelta(seconds=70))
    assert asked is not None
    alone = Sample(asked, (MetricAnswer("errors", Window(Counts(300, 1), Counts(0, 0))),))
    after = compared(known, PAIRED, around(serving(), sample=alone), NOW + timedelta(seconds=70))
    assert after is not None and after.warm_from is None
    both = Sample(replace_times(asked), (MetricAnswer("errors", Window(Counts(300, 1), Counts(300, 1))),))
    later = compared(
        replace(known, status=replace(known.status, comparison=after)), PAIRED, around(serving(), sample=both), NOW + timedelta(minutes=3)
    )
    assert later is not None and later.warm_from == both.question.start


def replace_times(asked: WindowQuestion) -> WindowQuestion:
    return WindowQuestion(asked.sides, asked.start + timedelta(minutes=1), asked.end + timedelta(minutes=1))


def test_why_nothing_was_compared_is_said() -> None:
    never, refused = shortfall(None, PAIRED), shortfall(None, PAIRED, PairRefusal(at=NOW, reason="the server says no"))
    assert never is not None and "never served" in never.reason and never.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert refused is not None and (refused.verdict, refused.reason) == (
        Verdict.COULD_NOT_MEASURE,
        "nothing was compared: the server says no",
    )
