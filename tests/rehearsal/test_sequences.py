"""Sequences of two plays: equal but for what was brief, and a rule that can fail."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reconciler_sandbox.rehearsal.demo import chosen_stories, images_of
from reconciler_sandbox.rehearsal.sequences import Held, Sequences, commits, differences, same
from reconciler_sandbox.rehearsal.virtual.staged import play_stories

ROOT = Path(__file__).resolve().parents[2]


def held(text: str) -> list[Held]:
    """`a (b) c`: b was brief."""
    return [Held(word.strip("()"), 0.2 if word.startswith("(") else 9.0) for word in text.split()]


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("a b c", "a b c", True),
        ("a (b) c", "a c", True),
        ("a c", "a (b) c", True),
        ("a (x) c", "a (y) c", True),
        ("a (b) a c", "a c", True),
        ("a c", "a (b) a c", True),
        ("a b a c", "a c", False),
        ("a b c", "a c", False),
        ("a c", "a b c", False),
        ("a b", "a b c", False),
        ("a b c", "a c b", False),
        ("", "(a)", True),
        ("", "a", False),
    ],
)
def test_what_was_brief_may_be_left_out_and_nothing_else(left: str, right: str, equal: bool) -> None:
    assert same(held(left), held(right)) is equal


def test_a_difference_names_the_object_and_shows_both_plays() -> None:
    found = differences({"Rollout shop/web phase": held("a (b) c")}, {"Rollout shop/web phase": held("a d")}, ("here", "there"))
    assert list(found) == ["Rollout shop/web phase: here a (b) c, there a d"]


def told(*states: tuple[float, str, dict[str, Any]]) -> Sequences:
    """Objects of a kind as they were written one after the other."""
    now = [0.0]
    sequences = Sequences(lambda: now[0])
    for now[0], plural, manifest in states:
        sequences.hear(SimpleNamespace(plural=plural), "MODIFIED", SimpleNamespace(manifest=manifest))  # type: ignore[arg-type]
    return sequences


def test_phases_steps_weights_and_verdicts_are_kept_in_order_with_how_long_they_held() -> None:
    metadata = {"namespace": "shop", "name": "web"}
    release = {"workload": {"name": "web"}, "images": {"web": "registry.example.com/shop/web:1.1"}}
    targets = [{"destination": {"host": "web"}, "weight": 60}, {"destination": {"host": "web-canary"}, "weight": 40}]
    found = told(
        (0.0, "rollouts", {"kind": "Rollout", "metadata": metadata, "status": {"phase": "Paused", "currentStepIndex": 1}}),
        (0.5, "rollouts", {"kind": "Rollout", "metadata": metadata, "status": {"phase": "Healthy", "currentStepIndex": 1}}),
        (
            1.0,
            "virtualservices",
            {"kind": "VirtualService", "metadata": metadata, "spec": {"http": [{"name": "primary", "route": targets}]}},
        ),
        (2.0, "releases", {"metadata": metadata, "spec": release, "status": {"phase": "Closed", "verdict": "passed"}}),
    ).held()
    assert {name: [one.value for one in values] for name, values in found.items()} == {
        "Rollout shop/web phase": ["Paused", "Healthy"],
        "Rollout shop/web step": ["1"],
        "VirtualService shop/web weights of primary": ["web=60 web-canary=40"],
        "Release shop/web of web:1.1, attempt 1 phase": ["Closed"],
        "Release shop/web of web:1.1, attempt 1 verdict": ["passed"],
    }
    assert [one.seconds for one in found["Rollout shop/web phase"]] == [0.5, float("inf")]


def test_commits_are_kept_for_each_workload_and_merges_are_the_forges() -> None:
    found = commits(["web 1.2", "Merge pull request #1 from web", "Restore web in demo: failed", "search 1.2"], ["web", "search"])
    assert {name: [one.value for one in values] for name, values in found.items()} == {
        "commits about web": ["web 1.2", "Restore web in demo: failed"],
        "commits about search": ["search 1.2"],
    }


def test_the_main_story_of_the_demo_comes_to_its_end_under_virtual_time() -> None:
    staged = play_stories(chosen_stories("storefront"), ROOT / "sample-repo", images_of(chosen_stories("", whole=True)))
    assert staged.missed == []
    told_of = {name: [one.value for one in values] for name, values in staged.sequences.items()}
    assert told_of["Release shop/storefront of storefront:1.1, attempt 1 verdict"] == ["passed"]
    assert told_of["Release shop/storefront of storefront:1.2, attempt 1 verdict"] == ["failed"], "by the Job that calls it in the dark"
    assert told_of["Release shop/storefront of storefront:1.2, attempt 2 verdict"] == ["held"]
    weights = [one.rpartition("=")[2] for one in told_of["VirtualService shop/storefront weights of primary"]]
    assert [weight for weight in weights if weight != "0"] == ["40", "60", "100"]
