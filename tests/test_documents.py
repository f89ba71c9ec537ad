"""Every YAML example of the documents is read by the parser that reads it in production: what is shown can be copied."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from reconciler_sandbox.rehearsal.parse import parse_story
from reconciler_sandbox.rehearsal.virtual.script import parse_scripts

from reconciler.app.lint.lint import SETTINGS
from reconciler.app.lint.shapes import misshapen
from reconciler.app.settings.reading import settings_of
from reconciler.kernel.identity import Manifest
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import ReleaseSpec, ReleaseStatus
from reconciler.releases.policies.manifest import parse_policy
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.routers.registry import ROUTERS
from tests.kit.releases import policy_fields
from tests.kit.rollouts import canary, rollout, weight

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "reconciler").rglob("*.md")])
BLOCK = re.compile(r"^```ya?ml\n(.*?)^```", re.S | re.M)
MOMENTS = ("until", "warmFrom", "time", "decidedAt", "promotedAt", "keepUntil", "pushUntil", "at", "since", "ended")
LEFT_OUT = (
    *((rf"\b{name}: …", f'{name}: "2026-01-01T00:00:00Z"') for name in MOMENTS),
    (r"\[\{…\}\]|\[…\]", "[]"),
    (r"\{…\}", "{}"),
)
"""What stands in the example of a Release for what would not fit on a line."""


@dataclass(frozen=True)
class Example:
    """One fenced block of YAML and where it stands."""

    page: Path
    line: int
    text: str

    @property
    def document(self) -> Manifest:
        text = self.text
        for shortened, whole in LEFT_OUT:
            text = re.sub(shortened, whole, text)
        found: Manifest = yaml.safe_load(text)
        return found

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples_of(page: Path) -> Iterator[Example]:
    text = page.read_text()
    for block in BLOCK.finditer(text):
        yield Example(page, text[: block.start()].count("\n") + 2, block[1])


EXAMPLES = [example for page in PAGES for example in examples_of(page)]


def settings(example: Example) -> None:
    settings_of(example.text, str(example))


def policy(example: Example) -> None:
    parse_policy(example.document)


def story(example: Example) -> None:
    """A whole story, or a piece of one, put into the page's first."""
    whole = next(other.text for other in EXAMPLES if other.page == example.page)
    parse_story(example.text if "title" in example.document else whole + example.text, str(example), "docs")


def script(example: Example) -> None:
    parse_scripts(example.document)


def release(example: Example) -> None:
    parse_release(example.document)
    for part, known in (("spec", ReleaseSpec), ("status", ReleaseStatus)):
        assert list(unknown(example.document[part], msgspec.json.schema(known), part)) == []


def ignored(example: Example) -> None:
    """What Argo CD is told to ignore is what the router calls shared."""
    for entry in example.document["spec"]["ignoreDifferences"]:
        features = (router.features.shared_fields for router in ROUTERS.values())
        shared = next(fields[entry["kind"]] for fields in features if entry["kind"] in fields)
        assert set(entry["jqPathExpressions"]) <= set(shared)


def routing(example: Example) -> None:
    """What a Rollout asks of its router has the shape that the router says, and no rule is broken."""
    spec = canary(weight(20), canaryService="canary", stableService="stable", **example.document)
    manifest = rollout(canary=spec)
    assert [str(remark) for remark in misshapen("Rollout", manifest) if remark.field.startswith("spec.strategy")] == []
    assert spec_problem(manifest, parse_rollout(manifest), ROUTERS) is None


def unknown(value: Any, schema: Mapping[str, Any], path: str, named: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The fields of a value that no record of the schema has; msgspec itself would pass over them."""
    named = schema.get("$defs", {}) if named is None else named
    for choice in schema.get("anyOf", [schema]):
        known = named[choice["$ref"].rpartition("/")[2]] if "$ref" in choice else choice
        if isinstance(value, list) and "items" in known:
            yield from (field for index, item in enumerate(value) for field in unknown(item, known["items"], f"{path}[{index}]", named))
        if isinstance(value, dict) and "properties" in known:
            for name, inner in value.items():
                if name not in known["properties"]:
                    yield f"{path}.{name}"
                yield from unknown(inner, known["properties"].get(name, {}), f"{path}.{name}", named)


def reader_of(document: Manifest) -> Callable[[Example], None] | None:
    kinds = {"ReleasePolicy": policy, "ClusterReleasePolicy": policy, "Release": release}
    if "kind" in document:
        return kinds.get(document["kind"])
    if "syncPolicy" in document.get("spec", {}):
        return ignored
    words = {
        frozenset(SETTINGS | {"notifiers", "console", "journal"}): settings,
        frozenset({"title", "metrics"}): story,
        frozenset({"trafficRouting"}): routing,
        frozenset({"releases"}): script,
    }
    return next((read for known, read in words.items() if known & document.keys()), None)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_read_by_our_own_parser(example: Example) -> None:
    read = reader_of(example.document)
    assert read is not None, "nothing here reads such a document: add its parser, or mark the block as text"
    read(example)


def test_the_parsers_are_asked_and_find_a_word_that_they_do_not_know() -> None:
    read = [reader_of(example.document) for example in EXAMPLES]
    assert set(read) == {settings, policy, story, script, release, ignored, routing}
    spoiled = next(example for example in EXAMPLES if reader_of(example.document) is release)
    text = spoiled.text.replace("  revertReason:", "  revertedBecause:")
    with pytest.raises(AssertionError, match=r"spec\.revertedBecause"):
        release(Example(spoiled.page, spoiled.line, text))


def test_the_example_of_a_policy_shows_every_field() -> None:
    [example] = [example for example in EXAMPLES if reader_of(example.document) is policy]
    assert set(example.document["spec"]) == policy_fields()
