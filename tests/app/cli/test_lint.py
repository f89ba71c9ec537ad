"""`reconciler lint` as a person types it."""

import json
from pathlib import Path

import pytest
import typer
from reconciler_sandbox.rehearsal.fittings import FOLLOWED
from typer.testing import CliRunner, Result

from reconciler.app.cli.offline import lint
from reconciler.kernel.errors import Terminal
from tests.kit.lint import FILES, ROLLOUT

ROOT = Path(__file__).resolve().parents[3]


def reconciler(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    lint.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def folder(path: Path, **changed: str) -> Path:
    for name, text in {**FILES, **{f"{name}.yaml": text for name, text in changed.items()}}.items():
        (path / name).write_text(text)
    return path


def test_the_sample_repository_is_clean() -> None:
    result = reconciler("lint", *(ROOT / "sample-repo" / folder for folder in FOLLOWED.values()))
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if "nothing wrong" not in line] == []


def test_a_bad_file_is_told_with_line_and_field_and_ends_with_1(tmp_path: Path) -> None:
    result = reconciler("lint", folder(tmp_path, rollout=ROLLOUT.replace("setWeight: 20", "setWeight: 120")))
    place = f"{tmp_path}/rollout.yaml:30:11: error: Rollout shop/web: spec.strategy.steps[0].setWeight: "
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith(place)
    assert result.stdout.splitlines()[-1] == "6 objects in 5 files: 1 error"


def test_one_file_alone_has_notes_and_ends_with_0(tmp_path: Path) -> None:
    result = reconciler("lint", folder(tmp_path) / "rollout.yaml")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "1 object in 1 file: nothing wrong, 4 notes"


def test_a_folder_without_the_service_it_needs_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "rollout.yaml").write_text(ROLLOUT)
    result = reconciler("lint", tmp_path)
    assert result.exit_code == 1
    assert "Service shop/web-canary is not among these files" in result.stdout


def test_json_is_the_only_thing_on_stdout(tmp_path: Path) -> None:
    result = reconciler("lint", "-o", "json", folder(tmp_path, rollout=ROLLOUT.replace("replicas: 2", "replicas: two")))
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (report["errors"], report["findings"][0]["field"], report["findings"][0]["line"]) == (1, "spec.replicas", 5)


def test_a_file_that_is_not_there_is_unreadable_input(tmp_path: Path) -> None:
    result = reconciler("lint", tmp_path / "nothing.yaml")
    assert isinstance(result.exception, Terminal)
    assert "cannot be read" in str(result.exception)


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_is_not_wrong(tmp_path: Path, text: str) -> None:
    (tmp_path / "empty.yaml").write_text(text)
    assert reconciler("lint", tmp_path).exit_code == 0


def test_a_wait_for_a_person_is_an_error_in_a_pipeline(tmp_path: Path) -> None:
    waiting = folder(tmp_path, rollout=ROLLOUT.replace("pause: {duration: 10s}", "pause: {}"))
    assert reconciler("lint", waiting).exit_code == 0
    result = reconciler("lint", "--ci", waiting)
    assert (
        result.exit_code == 1
        and ":31:11: error: Rollout shop/web: spec.strategy.canary.steps[1].pause: waits for a person" in result.stdout
    )
