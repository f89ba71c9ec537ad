"""`reconciler run`: what it says before it even starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.app.cli.main import run
from tests.kit.shell import nowhere


def test_settings_that_are_wrong_end_it_with_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("namespace: x\nsource: []\n")
    assert run(["run", "-c", str(file), "--kubeconfig", str(nowhere(tmp_path))]) == 3
    assert f"{file}:2: source: unknown field" in capsys.readouterr().err


def test_settings_that_are_not_there_end_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "-c", str(tmp_path / "absent.yaml")]) == 3
    assert "absent.yaml: cannot be read" in capsys.readouterr().err


def test_a_cluster_that_is_nowhere_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("namespace: x\n")
    assert run(["run", "-c", str(file), "--kubeconfig", str(tmp_path / "absent")]) == 3
    assert "no cluster found in" in capsys.readouterr().err


def test_without_git_it_ends_at_the_start_and_other_commands_do_their_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("sources: [{name: a, repository: 'file:///srv/a.git', branch: main, environment: demo}]\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["run", "-c", str(file), "--kubeconfig", str(nowhere(tmp_path))]) == 3
    assert capsys.readouterr().err == "reconciler: git is not installed: install git 2.38 or newer\n"
    linted = subprocess.run(
        [sys.executable, "-m", "reconciler", "lint", str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (linted.returncode, linted.stderr) == (0, "")
