"""What the plays read off an audit log: who wrote while another one led, and which rights a request needs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.kit.granted import rights
from tests.real.kit.audit import Entry, entries
from tests.real.kit.deployment import asked_by, used
from tests.real.kit.leaders import LOCK, unled

BEGAN = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
LEASES = {"apiGroup": "coordination.k8s.io", "resource": "leases", "namespace": "reconciler", "name": LOCK}
STATUS = {"apiGroup": "argoproj.io", "resource": "rollouts", "subresource": "status", "namespace": "shop", "name": "web"}


def line(seconds: float, user: str, verb: str, about: dict[str, str], code: int = 200) -> str:
    at = BEGAN + timedelta(seconds=seconds)
    event: dict[str, Any] = {"stage": "ResponseComplete", "verb": verb, "user": {"username": user}, "objectRef": about}
    event |= {"responseStatus": {"code": code}, "requestReceivedTimestamp": at.isoformat()}
    return json.dumps({**event, "stageTimestamp": (at + timedelta(seconds=0.01)).isoformat()})


def log_of(folder: Path, *lines: str) -> Path:
    log = folder / "audit.log"
    log.write_text("\n".join(lines), encoding="utf-8")
    return log


def test_a_write_after_another_took_the_lease_is_found(tmp_path: Path) -> None:
    log = log_of(
        tmp_path,
        line(0, "first", "create", LEASES, 201),
        line(1, "first", "patch", STATUS),
        line(5, "second", "update", LEASES),
        line(6, "second", "patch", STATUS),
        line(7, "first", "get", STATUS),
        line(8, "first", "update", LEASES, 409),
        line(9, "first", "patch", STATUS),
    )
    (found,) = unled(log, ("first", "second"))
    assert (found.write.user, found.holder.user) == ("first", "second")
    assert found.write.at == BEGAN + timedelta(seconds=9)


def test_who_takes_the_lease_back_may_write_again(tmp_path: Path) -> None:
    lines = [line(0, "first", "create", LEASES, 201), line(5, "second", "update", LEASES), line(9, "first", "update", LEASES)]
    assert unled(log_of(tmp_path, *lines, line(9.005, "first", "patch", STATUS)), ("first", "second")) == []


def test_a_request_that_is_no_resource_or_not_answered_yet_is_no_entry(tmp_path: Path) -> None:
    received = json.dumps({"stage": "RequestReceived", "objectRef": STATUS})
    version = json.dumps({"stage": "ResponseComplete", "verb": "get", "requestURI": "/version"})
    log = log_of(tmp_path, received, version, line(0, "first", "patch", STATUS))
    assert [entry.resource for entry in entries(log, "first")] == ["rollouts/status"]
    assert entries(log, "second") == []


def test_an_apply_that_created_needs_two_rights_and_a_right_counts_only_where_it_is_granted() -> None:
    rule = {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["create", "patch", "delete"]}
    role = {"kind": "Role", "metadata": {"name": "r", "namespace": "shop"}, "rules": [rule]}
    granted = {str(right): right for right in rights([role, {"kind": "RoleBinding", "metadata": {"name": "r"}}])}
    made = Entry("u", "patch", "argoproj.io", "rollouts", "shop", "web", 201, BEGAN, BEGAN)
    assert [asked.verb for asked in asked_by(made)] == ["patch", "create"]
    assert [name for name, right in granted.items() if used(right, made)] == [
        "r: create rollouts.argoproj.io",
        "r: patch rollouts.argoproj.io",
    ]
    elsewhere = Entry("u", "patch", "argoproj.io", "rollouts", "other", "web", 201, BEGAN, BEGAN)
    assert not any(used(right, elsewhere) for right in granted.values())
