"""Whatever is spoiled in manifests, lint ends and says where; what people have as it is gives no error."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import given, settings

from reconciler.app.lint.finding import Severity
from reconciler.app.lint.lint import lint
from reconciler.kernel.identity import Manifest
from tests.kit.mutated import FULL, spoiled_files


@settings(max_examples=150)
@given(files=spoiled_files())
def test_whatever_is_spoiled_lint_ends_and_names_the_place(files: dict[str, bytes]) -> None:
    report = lint(files, unattended=True)
    assert report.files == len(files)
    assert all(finding.file in files for finding in report.findings)
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR and finding.object]
    assert all(finding.line and finding.column for finding in errors)


def renamed(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Manifest]]:
    """Each name of a field of a strategy, and the rollout in which it is spelled wrongly; what is inside is anybody's stays."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from renamed(inner, (*path, index))
    if not isinstance(value, dict) or path[-1:] in ANYBODYS:
        return
    for key, inner in value.items():
        document = deepcopy(FULL)
        holder: Any = document["spec"]["strategy"]
        for step in path:
            holder = holder[step]
        holder[f"{key}x"] = holder.pop(key)
        yield key, document
        yield from renamed(inner, (*path, key))


ANYBODYS = (("labels",), ("config",))


def test_a_field_that_is_spelled_wrongly_is_told_with_its_place_and_its_right_name() -> None:
    cases = dict(renamed(FULL["spec"]["strategy"]))
    assert len(cases) > 40
    for key, document in cases.items():
        found = lint({"web.yaml": json.dumps(document, indent=1).encode()}).errors
        [told] = [error for error in found if error.field.endswith(f"{key}x")][:1] or [None]
        assert told is not None and told.suggestion and key in told.suggestion, (key, found)
        assert json.dumps(document, indent=1).splitlines()[told.line - 1][told.column - 1 :].startswith(f'"{key}x"'), key
