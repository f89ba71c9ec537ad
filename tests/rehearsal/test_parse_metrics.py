"""What stories say that metrics read."""

import pytest
from reconciler_sandbox.metrics.readings import amount
from reconciler_sandbox.rehearsal.parse import parse_story
from reconciler_sandbox.rehearsal.parse_fields import KINDS
from reconciler_sandbox.rehearsal.story import MetricsChange, ObjectName

from reconciler.kernel.errors import Terminal
from tests.kit.rehearsal import story

WEB = ObjectName(KINDS["Rollout"], "shop", "web")


def test_metrics_of_a_workload_and_of_the_outside() -> None:
    (step,) = story("- metrics: {Rollout shop/web: {cpu: 180%, memory: 64Mi, rps: {total: 40}}, external: {queue: 1.5}}").steps
    said = {"cpu": amount("180%"), "memory": amount("64Mi"), "rps": amount("40", total=True)}
    assert step.action == MetricsChange({WEB: said}, {"queue": 1500})


def test_metrics_at_the_top_hold_from_the_beginning() -> None:
    text = "title: t\nmetrics:\n  Rollout shop/web: {cpu: 10%}\nsteps:\n  - daemon: start\n"
    assert parse_story(text, "t.yaml", "t").metrics == MetricsChange({WEB: {"cpu": amount("10%")}})
    assert story("- daemon: start").metrics == MetricsChange()


@pytest.mark.parametrize(
    ("said", "line", "words"),
    [
        ("Rollout shop/web: {cpu: much}", 3, "metrics.Rollout shop/web.cpu: 'much' is no quantity"),
        ("Rollout shop/web: {cpu: -1}", 3, "less than nothing"),
        ("Rollout shop/web: {cpu: true}", 3, "write an amount"),
        ("Rollout shop/web: {cpu: [1]}", 3, "write an amount"),
        ("Rollout shop/web: {cpu: {total: 50%}}", 3, "not a percentage"),
        ("Rollout shop/web: {cpu: {total: 1, of: 2}}", 3, "of"),
        ("Rollout shop/web: {cpu: {}}", 3, "write an amount"),
        ("Rollout shop/web: {rps: 50%}", 3, "only cpu and memory are requested"),
        ("Rollout shop/web: {}", 3, "at least one metric"),
        ("Rollout shop/web: 5", 3, "expected a mapping"),
        ("Rollout web: {cpu: 1}", 3, "write Rollout namespace/name"),
        ("Rollout shop/*: {cpu: 1}", 3, "one object in a namespace"),
        ("Namespace shop: {cpu: 1}", 3, "one object in a namespace"),
        ("Nothing shop/web: {cpu: 1}", 3, "unknown kind 'Nothing'"),
        ("external: {queue: {total: 1}}", 3, "belongs to|of nobody's pods"),
    ],
)
def test_metrics_that_cannot_be_are_refused_with_file_and_line(said: str, line: int, words: str) -> None:
    with pytest.raises(Terminal, match=words) as refused:
        parse_story(f"title: t\nmetrics:\n  {said}\nsteps:\n  - daemon: start\n", "t.yaml", "t")
    assert str(refused.value).startswith(f"t.yaml:{line}: ")
