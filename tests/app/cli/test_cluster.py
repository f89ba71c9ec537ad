"""What every command shares: a client for its time, and one way to print."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from reconciler.app.cli.cluster import ask, show_json
from reconciler.kernel.resources import NAMESPACES
from tests.kit.shell import Shell


@dataclass(frozen=True)
class Fact:
    at: datetime


def test_a_question_is_answered_by_the_cluster_of_the_kubeconfig(sh: Shell) -> None:
    names = [m["metadata"]["name"] for m in ask(str(sh.kubeconfig), lambda client: client.list(NAMESPACES))]
    assert "shop" in names


def test_facts_are_printed_as_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    show_json(Fact(datetime(2026, 11, 25, tzinfo=UTC)))
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-25 00:00:00+00:00"}
    show_json([1, {"a": None}])
    assert json.loads(capsys.readouterr().out) == [1, {"a": None}]
