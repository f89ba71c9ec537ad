"""A push into a local repository is noticed at once."""

import asyncio
from dataclasses import replace
from pathlib import Path

from structlog.testing import capture_logs

from reconciler.app.watching import Folders, SettingsFile, Watched, Watching, local_folder
from tests.kit.clusters import running
from tests.kit.desk import SETTINGS, config
from tests.kit.repositories import Origin
from tests.kit.wait import until


async def test_a_push_asks_for_a_look_once_per_burst(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    origin.commit({"a.yaml": config("a")})
    looks: list[str] = []
    sources = [replace(SETTINGS, repository=origin.url), replace(SETTINGS, name="far", repository="https://git.example.com/a/b")]
    async with running(Watching(sources, looks.append).run()):
        await asyncio.sleep(0)
        for number in range(3):
            origin.commit({"a.yaml": config("a", str(number))})
        await until(lambda: looks)
        assert set(looks) == {"shop"}


def test_only_local_repositories_have_a_folder_to_watch(tmp_path: Path) -> None:
    bare, checkout = tmp_path / "bare.git", tmp_path / "work"
    (bare / "refs").mkdir(parents=True)
    (checkout / ".git" / "refs").mkdir(parents=True)
    assert local_folder(f"file://{bare}") == bare / "refs"
    assert local_folder(str(checkout)) == checkout / ".git" / "refs"
    assert local_folder(f"file://{tmp_path}/absent") is None
    assert local_folder("https://git.example.com/a/b") is None
    assert local_folder("git@git.example.com:a/b") is None


async def test_a_folder_that_is_not_there_is_only_not_watched(tmp_path: Path) -> None:
    looks: list[str] = []
    (tmp_path / "there").mkdir()
    folders = [Watched("absent", tmp_path / "absent", recursive=True), Watched("there", tmp_path / "there", recursive=True)]
    async with running(Folders(folders, looks.append).run()):
        await asyncio.sleep(0)
        (tmp_path / "there" / "a.yaml").write_text("a")
        await until(lambda: looks == ["there"])


async def test_changed_settings_are_not_used_and_that_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "reconciler.yaml"
    path.write_text("listen: 127.0.0.1:1")
    with capture_logs() as logs:
        async with running(SettingsFile(path).run()):
            await asyncio.sleep(0)
            (tmp_path / "other").write_text("x")
            path.write_text("listen: 127.0.0.1:2")
            await until(lambda: logs)
    assert [(entry["event"], entry["file"]) for entry in logs] == [("settings changed: restart to use them", str(path))]
