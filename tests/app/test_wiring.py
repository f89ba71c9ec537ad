"""Settings become controllers, mirrors and sources."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from reconciler.app.settings.reading import settings_of
from reconciler.app.wiring import Assembly, Environment, assemble, token_file
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.fence import Fence
from reconciler.notifiers.fenced import FencedNotifier
from tests.kit.clusters import Api, api
from tests.kit.notices import message

SOURCE = "  - {{name: {name}, repository: 'file:///srv/{repository}.git', branch: main, environment: demo{more}}}\n"


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


async def assembled(cluster: Api, folder: Path, text: str) -> Assembly:
    async with httpx.AsyncClient(trust_env=False) as http:
        settings = settings_of(text, "t")
        environment = Environment(
            settings=settings, client=cluster.client, clock=SystemClock(), http=http, folder=folder, git_fence=Fence()
        )
        return assemble(environment)


def sources(*named: tuple[str, str], more: str = "") -> str:
    return "sources:\n" + "".join(SOURCE.format(name=name, repository=repository, more=more) for name, repository in named)


async def test_sources_of_one_repository_share_a_mirror(cluster: Api, tmp_path: Path) -> None:
    found = await assembled(cluster, tmp_path, sources(("a", "one"), ("b", "one"), ("c", "two")))
    assert set(found.sources) == {"a", "b", "c"}
    assert len(found.mirrors) == 2
    assert found.sources["a"].mirror is found.sources["b"].mirror


async def test_local_policies_are_read_before_anything_runs(cluster: Api, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text("kind: [")
    found = await assembled(cluster, tmp_path, f"policies: {folder}\n{sources(('a', 'one'))}")
    assert "a.yaml" in found.policy_files.problems[0]
    found.judge_again()
    assert len(found.engine.queue) == 1
    alone = await assembled(cluster, tmp_path, f"policies: {folder}\ncontrollers: [rollout]\n")
    assert alone.policy_files.problems == ()


async def test_only_the_chosen_controllers_run(cluster: Api, tmp_path: Path) -> None:
    everything = await assembled(cluster, tmp_path, "namespace: x\n")
    companion = await assembled(cluster, tmp_path, "controllers: [release]\n")
    assert set(everything.engine._controllers) == {"rollout", "analysisrun", "release", "source"}
    assert set(companion.engine._controllers) == {"release", "source"}


async def test_an_address_that_is_not_safe_ends_the_start(cluster: Api, tmp_path: Path) -> None:
    text = sources(("a", "one")).replace("file:///srv/one.git", "http://git.example.com/a/b")
    with pytest.raises(Terminal, match="in the clear; use https"):
        await assembled(cluster, tmp_path, text)


async def test_a_token_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "token"
    read = token_file(str(file))
    with pytest.raises(Transient, match="cannot be read: FileNotFoundError; check that it is mounted"):
        await read()
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        assert await read() == token


async def test_notifiers_are_wired_by_name_and_fenced(cluster: Api, tmp_path: Path) -> None:
    text = "notifiers: [{name: chat, kind: webhook, url: 'https://h.example/x', tokenFile: /absent}]\n"
    (name, notifier), *_ = (await assembled(cluster, tmp_path, text)).notifiers.items()
    assert name == "chat" and isinstance(notifier, FencedNotifier)
    with pytest.raises(Transient, match="the token file /absent cannot be read"):
        await notifier.tell(message(), "")
