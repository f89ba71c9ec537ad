"""The whole demo, as a stranger runs it: every expectation held, only JSON on stdout, the page written."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.kit.procs import names_in, processes_about

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.story
@pytest.mark.timeout(300)
async def test_the_demo_holds_and_leaves_only_its_page(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconciler", "demo", "--json", "--out", str(tmp_path / "out")),
        cwd=ROOT,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(child.communicate(), 280)
    document = json.loads(output)
    assert [one for one in document["expectations"] if not one["held"]] == [], errors.decode()[-3000:]
    assert child.returncode == 0 and document["held"] and len(document["expectations"]) > 50
    assert names_in(tmp_path / "out") == ["daemon.log", "demo.json", "index.html", "sandbox.log"]
    assert names_in(tmp_path) == ["out"]
    assert not processes_about(tmp_path)
