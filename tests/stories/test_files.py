"""Stories on real parts that the demo has no time for: each file of `files/` is played as it is."""

from pathlib import Path

import pytest
import yaml
from reconciler_sandbox.rehearsal.actions import Hands
from reconciler_sandbox.rehearsal.parse import load_story
from reconciler_sandbox.rehearsal.player import Player
from reconciler_sandbox.rehearsal.record import Entry
from reconciler_sandbox.rehearsal.stage import Stage

SAMPLE = Path(__file__).resolve().parents[2] / "sample-repo"
FILES = sorted((Path(__file__).parent / "files").glob("*.yaml"))


@pytest.mark.story
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_story_holds(path: Path) -> None:
    story = load_story(path)
    entries: list[Entry] = []
    async with Stage(SAMPLE) as built, Hands(built) as hands:
        allow(built, "HorizontalPodAutoscaler.autoscaling")
        held = await Player(built, hands, entries.append).play([story])
    missed = [entry.outcome for entry in entries if entry.outcome and not entry.outcome.held]
    assert held, missed


def allow(stage: Stage, kind: str) -> None:
    """One more kind that the source may write."""
    settings = yaml.safe_load(stage.settings_file.read_text())
    settings["sources"][0]["allow"]["kinds"].append(kind)
    stage.settings_file.write_text(yaml.safe_dump(settings))
