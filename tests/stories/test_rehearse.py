"""`reconciler rehearse`: the shortest release of a person's own folder in real time, as a person types it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.kit.procs import processes_about

MANIFESTS = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1.0", ports: [{containerPort: 8080}]}]}
  strategy: {canary: {}}
"""


@pytest.mark.story
@pytest.mark.timeout(180)
async def test_a_release_of_a_folder_is_played_in_real_time_and_what_was_missed_is_the_exit_code(tmp_path: Path) -> None:
    folder, out = tmp_path / "manifests", tmp_path / "page.html"
    folder.mkdir()
    (folder / "web.yaml").write_text(MANIFESTS)
    (tmp_path / "story.yaml").write_text("releases: [{version: good, users: 5, verdict: failed}]")
    words = ("rehearse", str(folder), "--story", str(tmp_path / "story.yaml"), "--html", str(out), "-o", "json")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reconciler", *words),
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(child.communicate(), 170)
    document = json.loads(output)
    [release] = document["releases"]
    assert (release["verdict"], release["git"]) == ("passed", "asks for registry.example.com/web:simulated"), errors.decode()[-2000:]
    assert release["wrong"] == ["expected the verdict 'failed', and it is 'passed'"]
    assert child.returncode == 1 and b"0:00:" in errors
    assert "web:simulated" in out.read_text() and not processes_about(tmp_path)
