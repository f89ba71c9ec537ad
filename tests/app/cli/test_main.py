"""Exit codes, help everywhere, and a light start."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.app.cli.main import COMMANDS, command_line, run
from tests.kit.shell import Shell, nowhere
from tests.kit.stocked import fill

HEAVY = ("rich", "kubernetes", "aiohttp", "git", "httpx", "apscheduler", "jinja2", "lark", "structlog")


def commands(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """Every command and group of the command line."""
    yield names
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, *names, name)


ALL = [*commands(typer.main.get_command(command_line()))]


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_command_explains_itself(names: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for flag in ("-h", "--help"):
        assert run([*names, flag]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    body = said[0].split("Options:")[0]
    assert len(body.splitlines()) >= 3, body


def test_the_list_is_the_same_without_importing_any_command(capsys: pytest.CaptureFixture[str]) -> None:
    listed = []
    for only in (COMMANDS, ()):
        with pytest.raises(SystemExit):
            typer.main.get_command(command_line(only)).main(args=["-h"], prog_name="reconciler")
        listed.append(capsys.readouterr().out)
    assert listed[0] == listed[1]
    assert set(COMMANDS) == {names[0] for names in ALL if names}


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [(["-h"], set()), (["nonsense"], set()), (["version"], set()), (["lint", "-h"], {"lint"}), (["run", "-h"], {"daemon"})],
)
def test_a_command_line_imports_only_the_module_it_names(arguments: list[str], modules: set[str]) -> None:
    code = f"import sys; from reconciler.app.cli.main import run; run({arguments!r}); print(*[m for m in sys.modules if 'app.cli.' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.rpartition(".")[2] for name in done.stdout.splitlines()[-1].split()}
    assert imported - {"main", "output", "configured", "offline"} == modules


def test_the_commands_that_the_documents_name_are_there() -> None:
    known = {" ".join(names) for names in ALL}
    assert known >= {
        "run",
        "demo",
        "lint",
        "diff",
        "status",
        "explain",
        "promote",
        "abort",
        "retry",
        "restart",
        "pause",
        "undo",
        "terminate",
        "set image",
        "list rollouts",
        "releases list",
        "releases show",
        "hold list",
        "hold add",
        "hold lift",
        "hold release",
        "freeze",
        "unfreeze",
        "version",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["version", "-o", "wide"],
        ["promote"],
        ["hold", "nonsense"],
        ["status", "web", "--timeout", "soon"],
        ["status", "web", "--timeout", "-5s"],
    ],
)
def test_a_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and "Usage:" in said.err


def test_a_rollout_that_only_waits_is_0(sh: Shell) -> None:
    sh.ask(fill)
    assert sh("status", "web", "-n", "shop", "--no-watch").code == 0


def test_what_cannot_be_read_is_3(sh: Shell, tmp_path: Path) -> None:
    missing = sh("status", "web", "-n", "shop", "--no-watch")
    assert (missing.code, missing.output) == (3, "")
    assert missing.errors == "reconciler: no Rollout shop/web: list them with: reconciler list rollouts -n shop\n"
    assert sh("diff", str(tmp_path / "absent.yaml")).code == 3
    assert run(["list", "rollouts", "--kubeconfig", str(tmp_path / "absent")]) == 3


def test_a_cluster_that_does_not_answer_is_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "rollouts", "--kubeconfig", str(nowhere(tmp_path))]) == 4
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("reconciler: http://127.0.0.1:9: no answer to GET")


def test_the_version_is_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    assert capsys.readouterr().out.startswith("reconciler ")
    assert run(["version", "-o", "json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"reconciler", "python"}


def test_running_twice_in_one_process_is_running_twice(capsys: pytest.CaptureFixture[str]) -> None:
    run(["-h"])
    first = capsys.readouterr().out
    run(["-h"])
    assert capsys.readouterr().out == first


def test_the_start_imports_nothing_heavy() -> None:
    code = f"import sys; from reconciler.app.cli.main import run; run(['version']); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "reconciler", "nonsense"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_disk_that_is_full_is_said_and_no_program_fault() -> None:
    with Path("/dev/full").open("w", encoding="ascii") as full:
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120
        )
    assert (done.returncode, done.stderr) == (3, "reconciler: what is printed cannot be written: no space is left\n")


def test_a_command_that_shows_a_rollout_starts_without_the_parser_of_conditions() -> None:
    code = "import sys; import reconciler.app.cli.explaining, reconciler.app.cli.status; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_each_example_of_a_help_text_begins_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["rollback", "-h"], ["freeze", "-h"], ["releases", "list", "-h"]):
        assert run(words) == 0
        shown = capsys.readouterr().out
        lines = [line for line in shown.splitlines() if "Example: " in line]
        assert len(lines) > 1 and all(line.strip().startswith("Example: ") for line in lines), shown
