"""Expectations are parsed strictly, each about one subject."""

import pytest
from reconciler_sandbox.rehearsal.compare import Comparison
from reconciler_sandbox.rehearsal.story import (
    CommitNote,
    Commits,
    Expect,
    Expectation,
    GitFile,
    ObjectField,
    PullNote,
    Replicas,
    Share,
    Subject,
    Tagged,
    Users,
)

from reconciler.kernel.errors import Terminal
from tests.kit.rehearsal import story

TRAFFIC = "web: {host: web.example.com}"


def expectation(text: str) -> Expectation:
    action = story(f"- expect:\n    - {{what: w, {text}}}", traffic=TRAFFIC).steps[0].action
    assert isinstance(action, Expect)
    return action.expectations[0]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("replicas: {image: 'web:1', equals: 3}", Replicas("web:1", Comparison({"equals": 3}))),
        ("share: {traffic: web, requests: 100, of: {'1.0': 60, '1.1': 40}}", Share("web", {"1.0": 0.6, "1.1": 0.4}, 100)),
        (
            "tagged: {traffic: web, headers: {x-tester: a}, version: '2', without: '1'}",
            Tagged(traffic="web", headers={"x-tester": "a"}, version="2", without="1"),
        ),
        ("users: {traffic: web, failed: true, equals: 0}", Users(traffic="web", failed=True, comparison=Comparison({"equals": 0}))),
        ("git: {file: a.yaml, contains: x, lacks: y}", GitFile(file="a.yaml", comparison=Comparison({"contains": "x", "lacks": "y"}))),
        ("commits: {matching: ^Restore, count: 1}", Commits(matching="^Restore", count=1)),
        (
            "pull: {title: t, comments: 1, matches: p.ssed, status: success}",
            PullNote(title="t", comments=1, text=Comparison({"matches": "p.ssed"}), status="success"),
        ),
        ("commit: {subject: s, status: failure}", CommitNote(subject="s", status="failure")),
    ],
)
def test_each_subject_is_read(text: str, subject: Subject) -> None:
    assert expectation(text).subject == subject


def test_an_object_is_chosen_by_kind_name_and_fields() -> None:
    found = expectation("object: Release shop/*, where: {spec.workload.name: web}, path: status.verdict, equals: passed, stays: 2s").subject
    assert isinstance(found, ObjectField)
    assert (str(found.target), found.path, found.where) == ("Release shop/*", "status.verdict", {"spec.workload.name": "web"})


def test_a_deadline_is_ten_seconds_unless_said() -> None:
    assert expectation("commits: {matching: a, count: 1}").within == 10
    assert expectation("commits: {matching: a, count: 1}, within: 1m").within == 60


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("commits: {matching: a, count: 1}, at: 30s", "virtual time"),
        ("commits: {matching: a, count: 1}, replicas: {image: a, equals: 1}", "exactly one of"),
        ("object: Cupboard shop/web, path: a, equals: 1", "unknown kind 'Cupboard'"),
        ("object: Rollout web, path: a, equals: 1", "write Rollout namespace/name"),
        ("object: Rollout shop/web, path: 'a[', equals: 1", "cannot read"),
        ("object: Rollout shop/web, path: a", "say what is expected"),
        ("object: Rollout shop/web, path: a, equals: 1, absent: true", "say what is expected"),
        ("replicas: {image: a, atLeast: many}", "expected a number"),
        ("share: {traffic: sea, of: {'1': 100}}", "no traffic is named 'sea'; known: web"),
        ("share: {traffic: web, of: {'1': 40}}", "must sum up to 100"),
        ("share: {traffic: web, of: {1.0: 100}}", "put it in quotes"),
        ("share: {traffic: web, of: {'1': yes}}", "expected percent"),
        ("tagged: {traffic: web, version: a, without: b}", "what makes a request a tester's"),
        ("users: {traffic: web, equals: 0}", "either the answers of one version, or failed: true"),
        ("pull: {title: t}", "say what is expected"),
        ("commit: {subject: t}", "say what is expected"),
        ("commit: {subject: t, status: great}", "is not one of"),
        ("git: {file: f}", "say what is expected"),
    ],
)
def test_a_wrong_expectation_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(Terminal) as refusal:
        expectation(text)
    assert complaint in str(refusal.value)
    assert str(refusal.value).startswith("test.yaml:")
