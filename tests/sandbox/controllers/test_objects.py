"""Reading the shared parts of objects."""

from datetime import UTC, datetime

import pytest
from reconciler_sandbox.controllers.objects import (
    Key,
    collection,
    controller_keys,
    everywhere,
    is_active,
    is_ready,
    one,
    parse_time,
    reference_to,
    selector_text,
    timestamp,
    without_zeros,
)

from tests.kit.workloads import pod, replica_set


@pytest.mark.parametrize(
    ("resource", "path"),
    [("v1/pods", "/api/v1/namespaces/shop/pods"), ("apps/v1/replicasets", "/apis/apps/v1/namespaces/shop/replicasets")],
)
def test_paths_follow_the_group_of_a_resource(resource: str, path: str) -> None:
    assert collection(resource, "shop") == path
    assert one(resource, Key("shop", "web")) == f"{path}/web"
    assert everywhere(resource) == path.replace("/namespaces/shop", "")


def test_a_selector_becomes_the_query_text_of_the_api() -> None:
    selector = {
        "matchLabels": {"b": "2", "a": "1"},
        "matchExpressions": [{"key": "c", "operator": "In", "values": ["x", "y"]}, {"key": "d", "operator": "DoesNotExist"}],
    }
    assert selector_text(selector) == "a=1,b=2,c in (x,y),!d"


def test_an_owned_object_leads_to_its_controller_of_the_asked_kind_only() -> None:
    owner = replica_set()
    owner["metadata"]["uid"] = "u1"
    owned = pod(metadata={"ownerReferences": [reference_to(owner, "apps/v1", "ReplicaSet")]})
    assert list(controller_keys("ReplicaSet", owned)) == [Key("shop", "web")]
    assert not list(controller_keys("Job", owned))


def test_a_pod_being_deleted_or_finished_does_not_count() -> None:
    assert is_active(pod())
    assert not is_active(pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    assert not is_active(pod(status={"phase": "Failed"}))
    assert is_ready(pod()) and not is_ready(pod(ready=False))


def test_times_have_second_precision_in_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
    assert timestamp(moment) == "2026-01-02T03:04:05Z"
    assert parse_time("2026-01-02T03:04:05Z") == moment.replace(microsecond=0)


def test_zero_counters_disappear_from_a_status_unless_they_are_always_written() -> None:
    assert without_zeros({"replicas": 0, "readyReplicas": 0, "active": 2}, always=("replicas",)) == {
        "replicas": 0,
        "readyReplicas": None,
        "active": 2,
    }
