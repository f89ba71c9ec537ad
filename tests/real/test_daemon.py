"""The daemon on a real control plane: the demo's stories, with nodes and mesh attached through the Kubernetes API alone."""

from pathlib import Path

import pytest

from tests.real.kit.playing import Arrangement, played
from tests.real.kit.servers import Server

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]


async def test_every_story_of_the_demo_holds(real_server: Server, tmp_path: Path) -> None:
    await played(real_server, tmp_path, Arrangement())
