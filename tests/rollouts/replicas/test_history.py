"""Revisions and retention: contract 10.4 and 10.6."""

from typing import Any

from reconciler.kernel.well_known import DESIRED_REPLICAS, REVISION, REVISION_HISTORY
from reconciler.rollouts.replicas.history import follow, next_revision, revision_of, trim_history
from tests.kit.replicas import replica_set, rollout


def of(revision: str, **annotations: str) -> dict[str, Any]:
    return replica_set(annotations={REVISION: revision, **annotations})


def aged(day: int, **change: Any) -> dict[str, Any]:
    return replica_set(f"h{day}", creationTimestamp=f"2025-01-0{day}T00:00:00Z") | change


def test_revisions_count_from_one() -> None:
    assert next_revision([]) == 1
    assert next_revision([of("3"), of("7"), of("x"), replica_set()]) == 8
    assert revision_of(of("x")) == 0


def test_a_replica_set_that_is_used_again_gets_the_next_revision_and_remembers_the_old() -> None:
    again = follow(of("1", **{REVISION_HISTORY: "0"}), rollout(), 4)
    assert again["metadata"]["annotations"] == {REVISION: "4", REVISION_HISTORY: "0,1"}


def test_any_new_annotation_appends_to_the_history() -> None:
    after = follow(of("2", note="own"), rollout(annotations={"note": "theirs", "extra": "1", DESIRED_REPLICAS: "9"}), 2)
    assert after["metadata"]["annotations"] == {REVISION: "2", "note": "own", "extra": "1", REVISION_HISTORY: "2"}


def test_an_up_to_date_replica_set_stays_untouched() -> None:
    present = of("5", note="own")
    assert follow(present, rollout(annotations={"note": "theirs"}), 4) is present


def test_the_oldest_beyond_the_limit_go() -> None:
    assert trim_history([aged(3), aged(1), aged(2)], 1) == ("shop-h1", "shop-h2")
    assert trim_history([aged(1)], 1) == ()


def test_one_with_pods_is_skipped_and_not_replaced() -> None:
    busy = aged(1, spec={"replicas": 1})
    draining = aged(2, status={"replicas": 1})
    assert trim_history([busy, draining, aged(3), aged(4)], 1) == ("shop-h3",)


def test_one_whose_status_lags_is_skipped() -> None:
    lagging = aged(1)
    lagging["metadata"]["generation"] = 2
    assert trim_history([lagging], 0) == ()


def test_one_on_its_way_out_does_not_count() -> None:
    leaving = aged(1)
    leaving["metadata"]["deletionTimestamp"] = "2025-01-09T00:00:00Z"
    assert trim_history([leaving, aged(2)], 1) == ()
