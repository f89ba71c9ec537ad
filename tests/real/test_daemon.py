"""The daemon on a real control plane: the demo's stories, with nodes and mesh attached through the Kubernetes API alone."""

import shutil
from pathlib import Path

import pytest

from reconciler.rehearsal.actions import Hands
from reconciler.rehearsal.demo import chosen_stories
from reconciler.rehearsal.player import Player
from reconciler.rehearsal.record import Entry
from reconciler.rehearsal.stage import Elsewhere, Stage
from tests.real.kit.reach import caller
from tests.real.kit.servers import Server

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "sample-repo"
PORT = "targetPort: http}"
pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]


def spelled_out(sample: Path, folder: Path) -> Path:
    """A copy of a manifest repository whose Services name their protocol: before 1.21 an apply did not know the default of this key."""
    shutil.copytree(sample, folder)
    for file in folder.rglob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(PORT, f"{PORT[:-1]}, protocol: TCP}}"), encoding="utf-8")
    return folder


async def test_every_story_of_the_demo_holds(real_server: Server, tmp_path: Path) -> None:
    entries: list[Entry] = []
    async with caller(real_server) as call:
        elsewhere = Elsewhere(call, real_server.kubeconfig.read_text(encoding="utf-8"))
        async with Stage(spelled_out(SAMPLE, tmp_path / "sample"), elsewhere=elsewhere) as stage, Hands(stage) as hands:
            await Player(stage, hands, entries.append).play(chosen_stories(""))
            shutil.copy2(stage.daemon.log, tmp_path / "daemon.log")
    outcomes = [entry.outcome for entry in entries if entry.outcome is not None]
    missed = [f"{one.place}: {one.what}: {one.observed} is not {one.expected}" for one in outcomes if not one.held]
    assert not missed, "\n".join(missed) + f"\nthe daemon's log is {tmp_path / 'daemon.log'}"
    assert len(outcomes) > 50
