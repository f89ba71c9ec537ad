"""The README shows nothing that is not so: its commands exist, its output comes from the stories, its links lead somewhere."""

import re
from pathlib import Path

import pytest

from reconciler.app.cli.main import run

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()
COMMANDS = [line[2:].split("#")[0].strip() for block in re.findall(r"```console\n(.*?)```", TEXT, re.S) for line in block.splitlines()]
SHOWN = "".join(re.findall(r"```text\n(.*?)```", TEXT, re.S))
STORIES = "\n".join(path.read_text() for path in (ROOT / "sandbox" / "reconciler_sandbox" / "rehearsal" / "stories").glob("*.yaml"))


def ours() -> list[str]:
    inline = re.findall(r"`(reconciler [^`]+)`", TEXT)
    return sorted({*(c for c in COMMANDS if c.startswith("reconciler")), *inline})


@pytest.mark.parametrize("command", ours())
def test_a_command_of_the_readme_exists_with_its_flags(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = command.split()[1:]
    names = [word for word in words if re.fullmatch(r"[a-z]+", word)]
    for length in (2, 1):
        if run([*names[:length], "-h"]) == 0 and f"Usage: reconciler {' '.join(names[:length])} " in (text := capsys.readouterr().out):
            assert all(flag in text for flag in words if flag.startswith("--"))
            return
    pytest.fail(f"no such command: {command}")


@pytest.mark.parametrize(
    "target", sorted({c.split()[1] for c in COMMANDS if c.startswith("make ")} | set(re.findall(r"`make ([a-z]+)`", TEXT)))
)
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


@pytest.mark.parametrize("line", SHOWN.splitlines())
def test_a_line_of_the_shown_output_is_told_by_a_story(line: str) -> None:
    words = re.split(r"  +", line.lstrip("✓▸ "))[0]
    assert " ".join(words.split()) in " ".join(STORIES.split())


@pytest.mark.parametrize("path", sorted({*re.findall(r"\]\(([^)#]+)\)", TEXT), *re.findall(r"\bdeploy/[\w/.-]+\w", TEXT)}))
def test_a_path_of_the_readme_exists(path: str) -> None:
    assert (ROOT / path).exists()
