"""The words of `health:` in a source: what cannot be asked is an error with its line."""

import pytest

from reconciler.app.lint.lint import lint
from reconciler.app.settings.reading import settings_of
from reconciler.kernel.errors import Terminal
from reconciler.sources.settings import HealthRule

TEXT = """sources:
  - name: shop
    repository: "https://git.example.com/shop.git"
    branch: main
    environment: production
    health:
      - {kind: Kafka, healthy: "true"}
      - group: g
        kind: Kafka
        %s
"""


def test_all_words() -> None:
    (source,) = settings_of(TEXT % "healthy: result.a == 1", "r.yaml").sources
    assert source.health == (
        HealthRule(group="", kind="Kafka", healthy="true"),
        HealthRule(group="g", kind="Kafka", healthy="result.a == 1"),
    )


@pytest.mark.parametrize(
    "line, words",
    [
        ('healthy: "result.a =="', "health[1].healthy: is no condition"),
        ('healthy: "nope(result)"', "health[1].healthy: is no condition"),
        ('healthy: "date(result.at) < now()"', "health[1].healthy: asks for the time"),
        ("group2: x", "health[1].healthy: is required"),
    ],
)
def test_what_cannot_be_asked_is_an_error_of_its_line_for_the_daemon_and_for_lint(line: str, words: str) -> None:
    with pytest.raises(Terminal) as caught:
        settings_of(TEXT % line, "r.yaml")
    assert words in str(caught.value)
    (finding,) = [one for one in lint({"r.yaml": (TEXT % line).encode()}).errors if one.file == "r.yaml"]
    assert finding.line in (8, 9, 10), finding


def test_a_condition_that_fails_only_in_its_second_half_is_read_too() -> None:
    with pytest.raises(Terminal, match=r"r.yaml:11: .*degraded: is no condition"):
        settings_of(TEXT % 'healthy: "true"\n        degraded: "result."', "r.yaml")


def test_a_secret_is_not_asked_about() -> None:
    with pytest.raises(Terminal, match="may be shown"):
        settings_of(TEXT.replace("group: g\n        kind: Kafka", "kind: Secret") % 'healthy: "true"', "r.yaml")
