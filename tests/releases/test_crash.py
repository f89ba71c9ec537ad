"""Which container crash-loops."""

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.releases.verdict.crash import crash_of


def pod(*containers: Manifest, group: str = "containerStatuses") -> Manifest:
    return {"metadata": {"name": "web-1"}, "status": {group: list(containers)}}


def container(restarts: int | None, *, ready: bool = False, **more: object) -> Manifest:
    return {"name": "web", **({} if restarts is None else {"restartCount": restarts}), "ready": ready, **more}


@pytest.mark.parametrize("group", ["containerStatuses", "initContainerStatuses"])
def test_a_container_that_was_restarted_often_enough_and_is_not_ready_crash_loops(group: str) -> None:
    assert crash_of([pod(container(3), group=group)], 3) == "container web of pod web-1 crash-loops: 3 restarts"
    assert crash_of([pod(container(2), group=group)], 3) == ""
    assert crash_of([pod(container(7, ready=True), group=group)], 3) == "", "it has come up since"


def test_the_first_one_of_all_pods_is_told() -> None:
    fine, bad = container(0, ready=True), container(5) | {"name": "sidecar"}
    assert crash_of([pod(fine), pod(fine, bad)], 3).startswith("container sidecar of pod web-1 crash-loops")
    assert (
        crash_of([pod(fine), {"metadata": {"name": "new"}}, {"metadata": {"name": "new"}, "status": {"containerStatuses": None}}], 3) == ""
    )
    assert crash_of([pod(container(None))], 1) == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, ", last exit code 137 (OOMKilled)"),
        ({"terminated": {"exitCode": 1}}, ", last exit code 1"),
        ({"terminated": {}}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_how_it_ended_last_is_told_where_it_is_known(state: Manifest | None, words: str) -> None:
    assert crash_of([pod(container(4, lastState=state))], 3) == f"container web of pod web-1 crash-loops: 4 restarts{words}"
