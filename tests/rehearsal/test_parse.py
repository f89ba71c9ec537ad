"""Stories are parsed strictly: what is wrong is named with file, line and field."""

from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.parse import load_story, parse_story
from reconciler_sandbox.rehearsal.story import DaemonOrder, Expect, FaultOrder, ObjectPatch, Push, Together, Verb

from reconciler.kernel.errors import Terminal
from tests.kit.rehearsal import story

PUSH = """
- push:
    message: web 1.1
    branch: web-1.1
    files: [{file: a.yaml, replace: {old: new}}]
    pull: {title: web 1.1}
"""


def test_a_push_through_a_pull_request_is_read() -> None:
    (step,) = story(PUSH).steps
    assert isinstance(step.action, Push)
    assert (step.action.branch, step.action.pull.title, step.action.pull.merge) == ("web-1.1", "web 1.1", True)  # type: ignore[union-attr]
    assert step.place == "test.yaml:3"


def test_every_kind_of_step_is_read() -> None:
    steps = story("""
        - daemon: restart
        - verb: kubectl annotate rollout web a='b c'
        - patch: {object: Rollout shop/web, body: {spec: {paused: true}}}
        - fault: {system: forge, status: 502, times: 2, for: 5s}
        - together: {left: [{daemon: kill}], right: [{daemon: start}, {daemon: stop}]}
    """).steps
    assert steps[0].action == DaemonOrder("restart")
    assert steps[1].action == Verb(("kubectl", "annotate", "rollout", "web", "a=b c"))
    assert isinstance(steps[2].action, ObjectPatch) and str(steps[2].action.target) == "Rollout shop/web"
    assert steps[3].action == FaultOrder(target="forge", status=502, times=2, lasting=5.0)
    assert isinstance(steps[4].action, Together) and [len(lane) for lane in steps[4].action.lanes.values()] == [1, 2]


def test_images_behave_as_their_rows_say() -> None:
    row = "{version: '1.2', errorRate: 0.5, latency: 200ms, errorsAfterRequests: 3}"
    text = f"title: t\nimages: {{'web:1.2': {row}}}\nsteps: [{{daemon: start}}]\n"
    behaviour = parse_story(text, "s.yaml", "s").images["web:1.2"]
    assert (behaviour.version, behaviour.error_rate, behaviour.latency, behaviour.errors_after_requests) == ("1.2", 0.5, 0.2, 3)


def test_traffic_that_a_step_starts_may_be_expected_of_later() -> None:
    steps = story("""
        - traffic: {web: {host: web.example.com, rate: 5}}
        - expect: [{what: w, share: {traffic: web, of: {"1.0": 100}}}]
    """).steps
    assert isinstance(steps[1].action, Expect)


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ("- {}", "steps[0]: say what the step does by exactly one of"),
        ("- {daemon: start, verb: reconciler version}", "steps[0]: say what the step does by exactly one of"),
        ("- {daemon: dance}", "steps[0].daemon: 'dance' is not one of start, stop, kill, restart"),
        ("- {daemon: start, sya: hello}", "steps[0].sya: unknown field"),
        ("- {verb: rm -rf /}", "begins with reconciler or kubectl"),
        ("- push: {message: m, files: []}", "steps[0].push.files: a push changes at least one file"),
        ("- push: {message: m, files: [{file: f}]}", "exactly one of replace, content and remove"),
        ("- push: {message: m, files: [{file: f, replace: {a: 1.1}}]}", "put it in quotes"),
        ("- push: {message: m, files: [{file: f, remove: true}], pull: {title: t}}", "a branch of its own"),
        ("- fault: {system: moon, status: 500}", "'moon' is not one of provider, forge, git, api"),
        ("- fault: {system: api}", "exactly one of status, delay and cut"),
        ("- patch: {object: Rollout shop/web, body: [], style: merge}", "steps[0].patch.body: is required"),
    ],
)
def test_a_wrong_step_is_named_with_its_field(steps: str, complaint: str) -> None:
    with pytest.raises(Terminal) as refusal:
        story(steps)
    assert complaint in str(refusal.value)
    assert str(refusal.value).startswith("test.yaml:3: ")


def test_the_line_is_the_wrong_fields_own() -> None:
    with pytest.raises(Terminal, match=r"^test\.yaml:5: steps\[1\]\.daemon: "):
        story("""
            - name: first
              daemon: start
            - daemon: later
        """)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title: t\nsteps: [\n", "s.yaml:3: not YAML"),
        ("title: t\ntitle: u\nsteps: [{daemon: start}]\n", "s.yaml:2: title: is written twice"),
        ("title: t\nsteps: []\n", "s.yaml:2: steps: a story needs at least one step"),
        ("- a\n", "s.yaml:1: document: expected a mapping"),
        ("title: t\nimages: {a: {version: 1.1}}\nsteps: [{daemon: start}]\n", "images.a.version: expected a text"),
        ("title: t\nimages: {a: {version: '1', errorRate: 2}}\nsteps: [{daemon: start}]\n", "between 0 and 1"),
        ("title: t\nimages: {1.1: {version: '1'}}\nsteps: [{daemon: start}]\n", "put it in quotes"),
    ],
)
def test_a_wrong_document_is_named_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(Terminal) as refusal:
        parse_story(text, "s.yaml", "s")
    assert complaint in str(refusal.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"no\.yaml: cannot be read"):
        load_story(tmp_path / "no.yaml")
