"""`reconciler compat` as a person types it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from reconciler.app.cli.offline import compat
from tests.kit.lint import ROLLOUT

SERVED, UNSERVED = ROLLOUT, ROLLOUT.replace("        - setWeight: 20", "        - plugin: {name: example.com/absent}")


def reconciler(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    compat.register(app)
    return CliRunner().invoke(app, ["compat", *(str(argument) for argument in arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rollout.yaml").write_text(SERVED)
    return tmp_path


def test_what_is_not_the_same_is_named_and_the_rest_counted(folder: Path) -> None:
    result = reconciler(folder)
    assert result.exit_code == 0
    *lines, summary = result.stdout.splitlines()
    assert summary == "12 fields of 1 objects: 9 same, 0 stricter, 3 better, 0 unsupported"
    assert lines[0].startswith(
        f"{folder}/rollout.yaml:17: better: Rollout shop/web: spec.strategy.canary.canaryService: contract 13.65: there "
    )
    assert lines[0].endswith("(docs/compatibility.md#13.65)")


def test_what_is_unsupported_ends_with_1(folder: Path) -> None:
    (folder / "other.yaml").write_text(UNSERVED.replace("name: web, namespace", "name: other, namespace"))
    result = reconciler(folder)
    assert result.exit_code == 1
    assert ":30: unsupported: Rollout shop/other: spec.strategy.canary.steps[0].plugin: step plugins as programs" in result.stdout


def test_markdown_is_a_table_and_json_has_every_field(folder: Path) -> None:
    (folder / "rollout.yaml").write_text(UNSERVED)
    table = reconciler(folder, "-o", "markdown").stdout.splitlines()
    assert table[0] == "| | where | field | why |" and "](docs/compatibility.md#step-programs)) |" in "".join(table)
    document = json.loads(reconciler(folder, "-o", "json").stdout)
    assert (document["unsupported"], document["objects"], len(document["fields"])) == (1, 1, sum(document[v] for v in LIKENESSES))


LIKENESSES = ("same", "stricter", "better", "unsupported")


def test_a_file_that_cannot_be_read_ends_with_3(folder: Path) -> None:
    (folder / "broken.yaml").write_text("kind: [")
    result = reconciler(folder)
    assert result.exit_code == 3 and "not read: " in result.stdout


def test_an_unknown_format_is_a_usage_error(folder: Path) -> None:
    assert reconciler(folder, "-o", "html").exit_code == 2
