"""Paths of fields lead to lines."""

import pytest

from reconciler.app.lint.lines import line_of
from reconciler.yamledit.nodes import compose

TEXT = """\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 20
        - pause:
            duration: 10s
  labels:
    app.kubernetes.io/name: web
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.strategy.canary.steps[1].pause.duration", 7),
        ("spec.strategy.steps[0].setWeight", 5),
        ("spec.strategy.canary.steps[1].pause.nothing.here", 6),
        ("spec.strategy.canary.steps[9]", 4),
        ("spec.labels['app.kubernetes.io/name']", 9),
        ("metadata.name", 1),
    ],
)
def test_a_path_leads_to_the_deepest_line_that_exists(path: str, line: int) -> None:
    assert line_of(compose(TEXT)[0].root, path) == line


def test_an_empty_document_has_one_line() -> None:
    assert line_of(None, "spec") == 1
