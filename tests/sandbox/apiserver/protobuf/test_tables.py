"""The tables as a whole: every message named exists, and every kind has one."""

import pytest
from reconciler_sandbox.apiserver.protobuf.access import ACCESS
from reconciler_sandbox.apiserver.protobuf.core import CORE
from reconciler_sandbox.apiserver.protobuf.fields import FREE, SCALARS
from reconciler_sandbox.apiserver.protobuf.meta import META
from reconciler_sandbox.apiserver.protobuf.pods import PODS
from reconciler_sandbox.apiserver.protobuf.tables import KINDS, RENAMED, TABLES, message, message_of
from reconciler_sandbox.apiserver.protobuf.workloads import WORKLOADS


@pytest.mark.parametrize("name", TABLES)
def test_a_message_uses_only_types_that_exist(name: str) -> None:
    fields = message(name).values()
    assert not [field for field in fields if field.type not in SCALARS and field.type not in TABLES]
    names = [field.name for field in fields if not field.embedded]
    assert len(names) == len(set(names))


def test_no_message_is_written_down_twice_or_for_nobody() -> None:
    assert len(TABLES) == sum(len(part) for part in (META, PODS, CORE, WORKLOADS, ACCESS))
    used = {field.type for name in TABLES for field in message(name).values()}
    roots = {*RENAMED.values(), "DeleteOptions", *(kind for kinds in KINDS.values() for kind in kinds)}
    assert not set(TABLES) - used - roots
    assert not roots - set(TABLES)


def test_a_kind_is_found_by_its_version() -> None:
    assert message_of("autoscaling/v2", "HorizontalPodAutoscaler") == "Autoscaler"
    assert message_of("events.k8s.io/v1", "Event") == "NewEvent" and message_of("v1", "Event") == "Event"
    assert message_of("apps/v1", "DeleteOptions") == "DeleteOptions"
    assert message_of("apps/v2", "Deployment") == "" and message_of("", "") == ""


def test_what_is_not_looked_into_is_a_small_part() -> None:
    everything = [field for name in TABLES for field in message(name).values()]
    assert sum(field.type == FREE for field in everything) < len(everything) / 20
