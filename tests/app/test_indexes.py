"""The words under which objects are found: right for ours, harmless for a stranger's."""

from typing import Any

import pytest

from reconciler.releases.indexes import release_words, workload_word
from reconciler.rollouts.indexes import orphan_words, rollout_words
from tests.kit.rollouts import canary, rollout


def release(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web-1", "namespace": "shop"}, "spec": spec}


def test_a_release_is_found_by_its_workload_and_its_pull_request() -> None:
    made = release(workload={"kind": "Rollout", "name": "web"}, source="shop", environment="demo", pull={"number": 3})
    assert release_words(made) == (workload_word("shop", "web"), "pull shop/demo/3")


@pytest.mark.parametrize("spec", [{}, {"workload": "web"}, {"workload": None, "pull": 3}, {"pull": {"number": "3"}}, {"pull": []}])
def test_a_release_of_any_shape_has_words(spec: dict[str, Any]) -> None:
    assert len(release_words(release(**spec))) == 1
    assert len(release_words({**release(), "spec": "nothing of the kind"})) == 1


def test_only_what_nobody_controls_is_an_orphan() -> None:
    metadata: dict[str, Any] = {"name": "web-1", "namespace": "shop"}
    owned = {**metadata, "ownerReferences": [{"uid": "u", "controller": True}]}
    seen = {**metadata, "ownerReferences": [{"uid": "u"}]}
    assert orphan_words({"metadata": metadata}) == orphan_words({"metadata": seen}) == ("orphan shop",)
    assert orphan_words({"metadata": owned}) == ()


def test_a_rollout_is_found_by_what_it_names() -> None:
    made = rollout(canary=canary(istio=True), workloadRef={"kind": "Deployment", "name": "lender"})
    assert rollout_words(made) == ("borrows Deployment shop/lender", "service shop/web-canary", "service shop/web-stable")
    assert rollout_words({"metadata": {"namespace": "shop"}, "spec": {"strategy": "canary", "workloadRef": 3}}) == ()
    assert rollout_words({"metadata": {"namespace": "shop"}, "spec": {"strategy": {"blueGreen": {"activeService": ["x"]}}}})
