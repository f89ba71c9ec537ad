"""Files are renamed into place in make-before-break order, only when they changed, and a refusal is noticed."""

import json
from pathlib import Path

import pytest
from reconciler_sandbox.mesh.admin import Admin
from reconciler_sandbox.mesh.errors import Rejected
from reconciler_sandbox.mesh.files import Files
from reconciler_sandbox.mesh.translate.terms import Config


class Envoy(Admin):
    """Reads the folder as Envoy does: each look shows the version on disk, or counts a rejection of what it must refuse."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "nobody")
        self.folder = folder
        self.seen: list[str] = []
        self.refused = ""
        self.closed = False

    async def versions(self) -> dict[str, str]:
        clusters = self.read("cds.json")
        names = ",".join(cluster["name"] for cluster in clusters["resources"])
        table = self.read("rds.mesh.json")
        step = f"{names}>{table['resources'][0].get('to', '')}"
        if self.seen[-1:] != [step]:
            self.seen.append(step)
        if self.closed:
            return {"listener_manager.lds.update_rejected": "1"}
        if self.refused and self.refused in names:
            return {"cluster_manager.cds.update_rejected": "1"}
        return {
            "cluster_manager.cds.version_text": clusters["version_info"],
            "listener_manager.lds.version_text": self.read("lds.json")["version_info"],
            "http.mesh.rds.mesh.version_text": table["version_info"],
        }

    def read(self, name: str) -> dict:
        return json.loads((self.folder / name).read_text())


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def config(cluster: str) -> Config:
    return Config(clusters=({"name": cluster},), tables={"mesh": {"name": "mesh", "to": cluster}}, listeners=({"name": "mesh"},))


async def test_a_route_never_lacks_its_cluster_on_the_way(tmp_path: Path) -> None:
    envoy = Envoy(tmp_path)
    files = Files(tmp_path, envoy)
    files.write_all(config("old"))
    await files.apply(config("new"))
    assert envoy.seen == ["old>old", "old,new>old", "old,new>new", "new>new"]


async def test_what_did_not_change_is_not_written(tmp_path: Path) -> None:
    files = Files(tmp_path, Envoy(tmp_path))
    files.write_all(config("same"))
    before = contents(tmp_path)
    await files.apply(config("same"))
    assert contents(tmp_path) == before
    assert set(before) == {"cds.json", "lds.json", "rds.mesh.json"}


async def test_listeners_that_cannot_be_opened_are_a_refusal(tmp_path: Path) -> None:
    envoy = Envoy(tmp_path)
    files = Files(tmp_path, envoy)
    files.write_all(config("old"))
    await files.listening()
    envoy.closed = True
    with pytest.raises(Rejected, match=r"lds\.json"):
        await files.listening()


async def test_a_refusal_names_the_file_and_the_rest_stays_as_it_was(tmp_path: Path) -> None:
    envoy = Envoy(tmp_path)
    files = Files(tmp_path, envoy)
    files.write_all(config("old"))
    envoy.refused = "bad"
    with pytest.raises(Rejected, match=r"cds\.json"):
        await files.apply(config("bad"))
    assert envoy.read("rds.mesh.json")["resources"][0]["to"] == "old"
    envoy.refused = ""
    await files.apply(config("old"))
    assert envoy.seen[-1] == "old>old"
