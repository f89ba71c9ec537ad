"""The demo: its stories are right, it refuses what it cannot play, and Ctrl-C leaves nothing behind."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from reconciler_sandbox.rehearsal.demo import FILES, STORIES, Order, chosen_stories, demonstrate, in_turn
from reconciler_sandbox.rehearsal.parse import load_story
from reconciler_sandbox.rehearsal.story import Push, Step, Together

from reconciler.kernel.errors import Terminal
from tests.kit.procs import names_in, processes_about
from tests.kit.wait import until

ROOT = Path(__file__).resolve().parent.parent.parent


def pushes(steps: tuple[Step, ...]) -> Iterator[Push]:
    for step in steps:
        if isinstance(step.action, Push):
            yield step.action
        if isinstance(step.action, Together):
            for lane in step.action.lanes.values():
                yield from pushes(lane)


@pytest.mark.parametrize("path", sorted(STORIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_story_is_read_and_changes_files_that_exist(path: Path) -> None:
    edits = [edit for push in pushes(load_story(path).steps) for edit in push.edits]
    assert edits
    for edit in edits:
        text = (ROOT / "sample-repo" / edit.file).read_text()
        assert all(old.partition(":")[0] in text for old in edit.replace)


def test_all_apps_are_played_unless_one_is_chosen() -> None:
    assert [story.lane for story in chosen_stories("")] == list(FILES)
    assert [story.lane for story in chosen_stories("", whole=True)] == [*FILES, "catalog"]
    assert [story.lane for story in chosen_stories("web")] == ["web"] and [story.lane for story in chosen_stories("catalog")] == ["catalog"]
    assert [[story.lane for story in group] for group in in_turn(chosen_stories("", whole=True))] == [list(FILES), ["catalog"]]
    with pytest.raises(Terminal, match="there are storefront, web, checkout, search, catalog"):
        chosen_stories("bakery")


def test_a_folder_that_is_no_manifest_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="is no manifest repository"):
        demonstrate(Order(out=tmp_path / "out", sample=tmp_path))


async def test_control_c_ends_it_in_seconds_and_leaves_nothing(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconciler", "demo", "--out", str(tmp_path / "out"), "--only", "search"),
        cwd=ROOT,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert child.stdout is not None
    while b"the daemon is ready" not in (line := await asyncio.wait_for(child.stdout.readline(), 60)):
        assert line, "the demo ended too early"
    child.send_signal(signal.SIGINT)
    rest, _ = await asyncio.wait_for(child.communicate(), 15)
    assert b"stopped; everything is cleaned up" in rest and b"Traceback" not in rest
    assert child.returncode == 1
    await until(lambda: not processes_about(tmp_path))
    assert "daemon.log" in names_in(tmp_path / "out") and names_in(tmp_path) == ["out"]
