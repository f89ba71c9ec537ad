"""Marks say whose an object is while it holds something, and nothing else."""

from reconciler.kernel.identity import annotations_of
from reconciler.kernel.well_known import MANAGED_BY, TRAFFIC_MARK
from reconciler.rollouts.traffic.marks import carried, mark_of, owners, with_mark
from reconciler.rollouts.traffic.router import Owner
from tests.kit.rollouts import virtual_service

WEB, API = Owner("shop", "web"), Owner("shop", "api")


def test_two_rollouts_may_hold_something_of_one_object() -> None:
    both = with_mark(with_mark(virtual_service(), WEB, {"a": 1}), API, {"b": 2})
    assert set(owners(both)) == {WEB, API} and mark_of(both, WEB) == {"a": 1}
    assert with_mark(with_mark(both, WEB, None), API, None) == virtual_service()


def test_the_same_mark_is_not_written_again() -> None:
    marked = with_mark(virtual_service(), WEB, {"a": 1})
    assert with_mark(marked, WEB, {"a": 1}) is marked
    plain = virtual_service()
    assert with_mark(plain, WEB, None) is plain


def test_an_annotation_that_is_no_mark_of_ours_is_nobodys() -> None:
    for text in ("", "x", "[1]", '{"no-namespace": {}}', "[" * 50_000):
        found = virtual_service()
        found["metadata"]["annotations"] = {TRAFFIC_MARK: text}
        assert owners(found) == () and mark_of(found, WEB) is None


def test_the_references_annotation_names_an_owner_of_the_same_namespace() -> None:
    found = virtual_service()
    found["metadata"]["annotations"] = {MANAGED_BY: "web"}
    assert owners(found) == (WEB,)


def test_a_push_neither_takes_a_mark_away_nor_brings_one() -> None:
    marked = with_mark(virtual_service(), WEB, {"a": 1})
    assert annotations_of(carried(virtual_service(), marked)) == annotations_of(marked)
    assert carried(marked, virtual_service()) == virtual_service()
