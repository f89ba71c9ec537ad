"""What of existing manifests is the same here, said of each field, with its place and the row that says more."""

import json
import re

import pytest
from hypothesis import given, settings

from reconciler.app.compat.look import Compatibility, compatibility
from reconciler.app.compat.rows import PAGE, Likeness, rows
from reconciler.git.objects import Snapshot
from reconciler.kernel.identity import Manifest
from reconciler.sources.documents import manifests_of
from scripts.generate_compatibility import FILE, rendered
from tests.kit.lint import FILES, ROLLOUT, TEMPLATE
from tests.kit.mutated import FULL, spoiled_files
from tests.kit.rollouts import canary, rollout, weight


def looked(*texts: str | Manifest) -> Compatibility:
    files = {f"{index}.yaml": (text if isinstance(text, str) else json.dumps(text)).encode() for index, text in enumerate(texts)}
    return compatibility(manifests_of(Snapshot("", "", files)))


def told(found: Compatibility, likeness: Likeness) -> set[tuple[str, str]]:
    return {(word.field, word.row.partition("#")[2]) for word in found.of(likeness)}


def test_what_no_row_speaks_of_is_the_same_and_every_field_is_told() -> None:
    found = looked(*FILES.values())
    assert (found.objects, found.of(Likeness.UNSUPPORTED), found.of(Likeness.STRICTER)) == (2, (), ())
    steps = [word for word in found.fields if word.field == "spec.strategy.canary.steps[0].setWeight"]
    assert [(word.likeness, word.file, word.line, word.object) for word in steps] == [("same", "0.yaml", 30, "Rollout shop/web")]


MESH = "        istio:\n          virtualService:\n            name: web\n            routes: [primary]"


@pytest.mark.parametrize(
    ("old", "new", "field", "row"),
    [
        (MESH, "        kong: {}", "kong", "routers"),
        ("      steps:", "      steps:\n        - plugin: {name: example.com/absent}", None, "step-programs"),
        ("metadata: {", "metadata: {annotations: {notifications.argoproj.io/subscribe.x.slack: y}, ", None, "notifications"),
    ],
)  # fmt: skip
def test_what_is_not_served_is_told_on_its_line(old: str, new: str, field: str | None, row: str) -> None:
    (word,) = looked(ROLLOUT.replace(old, new, 1)).of(Likeness.UNSUPPORTED)
    assert word.row == f"{PAGE}#{row}" and (field is None or word.field.endswith(field))
    assert ROLLOUT.replace(old, new, 1).splitlines()[word.line - 1].strip()


@pytest.mark.parametrize(
    ("provider", "row"),
    [
        ("plugin: {example.com/absent: {}}", "metric-programs"),
    ],
)
def test_a_provider_that_is_not_served_is_told(provider: str, row: str) -> None:
    text = re.sub(r"        prometheus:\n.*\n", f"        {provider}\n", TEMPLATE)
    assert [word.row for word in looked(text).of(Likeness.UNSUPPORTED)] == [f"{PAGE}#{row}"]


@pytest.mark.parametrize(("value", "row"), [(0, {"13.32"}), (30, set()), (899, set()), (900, {"13.30"}), (True, set()), ("900", set())])
def test_a_row_speaks_only_of_the_values_it_is_about(value: object, row: set[str]) -> None:
    found = looked(rollout(canary=canary(weight(20), istio=True, abortScaleDownDelaySeconds=value)))
    assert {id for field, id in told(found, Likeness.BETTER) if field.endswith("abortScaleDownDelaySeconds")} == row


def test_what_both_refuse_is_the_same_and_what_only_we_refuse_is_stricter() -> None:
    (word,) = [word for word in looked(ROLLOUT.replace("setWeight: 20", "setWeight: 120")).fields if word.why.startswith("refused by both")]
    assert (word.likeness, word.line) == ("same", 30)
    alone = rollout(canary=canary(canaryService="a", stableService="b", pingPong={"pingService": "a", "pongService": "c"}))
    without_router = looked(alone)
    assert without_router.of(Likeness.STRICTER) == ()  # the first rule that is broken is told: there is no router that can
    routed = {**alone, "spec": {**alone["spec"], "strategy": {"canary": {**alone["spec"]["strategy"]["canary"], "trafficRouting": ISTIO}}}}
    assert told(looked(routed), Likeness.STRICTER) == {("spec.strategy.canary.pingPong.pingService", "ping-pong-refused")}
    assert "refused by both" not in "".join(word.why for word in looked(routed).fields)


ISTIO = {"istio": {"virtualService": {"name": "web"}}}


def test_a_field_that_there_is_not_is_dropped_there_and_ignored_here() -> None:
    found = looked(ROLLOUT.replace("replicas: 2", "replicas: 2\n  replcas: 3"))
    assert [(word.field, word.likeness) for word in found.fields if word.why.startswith("no such field")] == [("spec.replcas", "same")]
    assert not any(word.why.startswith("refused") for word in found.fields)


def test_other_kinds_and_other_groups_are_passed_over() -> None:
    assert looked(ROLLOUT.replace("argoproj.io/v1alpha1", "rollouts.kruise.io/v1alpha1"), FILES["services.yaml"]).objects == 0


def test_a_file_that_cannot_be_read_is_named() -> None:
    found = looked("kind: Rollout\n  a: [", ROLLOUT)
    assert found.objects == 1 and len(found.unread) == 1 and "0.yaml" in found.unread[0]


def test_every_field_of_a_rich_manifest_has_one_word_or_several_rows() -> None:
    found = looked(FULL)
    assert {word.field.partition("steps")[0] for word in found.fields if "pingPong" in word.field} == {
        "spec.strategy.canary.pingPong",
        "spec.strategy.canary.pingPong.pingService",
        "spec.strategy.canary.pingPong.pongService",
    }
    assert not any(word.field.startswith("spec.template.") for word in found.fields)


@settings(max_examples=150)
@given(files=spoiled_files())
def test_whatever_is_spoiled_every_object_is_looked_at(files: dict[str, bytes]) -> None:
    found = compatibility(manifests_of(Snapshot("", "", files)))
    assert all(word.line >= 1 and word.file in files for word in found.fields)
    assert all(word.row.startswith(f"{PAGE}#") for word in found.fields if word.likeness is not Likeness.SAME)


def test_the_page_shows_the_rows() -> None:
    page = FILE.read_text()
    assert page == rendered(page), "run python -m scripts.generate_compatibility"


def test_the_page_has_no_table_of_choices_beside_the_rows() -> None:
    """A table by hand is read instead of the generated one, and told by no command."""
    section = FILE.read_text().partition("\n## Choices where the contract leaves one\n")[2].partition("\n## ")[0]
    assert section.count("\n|---") == 1


def test_every_row_has_a_place_of_its_own_on_the_page() -> None:
    ids = [row.id for row in rows()]
    assert len(ids) == len(set(ids)) > 50
    assert all(f'<a id="{id}"></a>' in FILE.read_text() for id in ids)


def test_the_rows_speak_of_fields_that_there_are() -> None:
    """A path that matches nothing would never be told."""
    from reconciler.app.lint.shapes import SORTS

    def known(shape: str, path: tuple[str, ...]) -> bool:
        if not path or shape not in SORTS:
            return True
        head, *rest = path
        if head in ("*", "[]"):
            return all(known(sort.shape, tuple(rest)) for sort in SORTS[shape].values()) if head == "*" else known(shape, tuple(rest))
        sort = SORTS[shape].get(head)
        return sort is not None and known(sort.shape, tuple(rest[1:] if sort.listed and rest[:1] == ["[]"] else rest))

    for row in rows():
        for at in row.at:
            kinds = at.kinds - {"AnalysisRun"}
            assert all(at.path[0] == "metadata" or "*" in at.path or known(kind, at.path) for kind in kinds), (row.id, at.path)
