"""Settings become controllers, mirrors and sources."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from reconciler.app.settings.reading import settings_of
from reconciler.app.wiring import Assembly, Environment, assemble, token_file, write_remote
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, namespace_of
from reconciler.kernel.resources import ANALYSIS_RUNS, EVENTS, JOBS, NAMESPACES, RELEASES, ROLLOUTS
from reconciler.kube.fence import Fence
from reconciler.notifiers.fenced import FencedNotifier
from reconciler.releases.manifest import render_release
from reconciler.web.client import open_client
from tests.kit.chartrepository import unreachable_chart
from tests.kit.clusters import Api, api
from tests.kit.manifests import snapshot
from tests.kit.notices import message
from tests.kit.releases import release, rollout

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


async def test_sources_and_those_beside_them_fetch_charts(cluster: Api, tmp_path: Path) -> None:
    text = sources(("a", "one"), ("b", "one"), more=", helm: {registries: [{url: 'http://127.0.0.1:9'}]}")
    async with open_client() as http:
        terms = {"client": cluster.client, "clock": SystemClock(), "http": http, "folder": tmp_path, "git_fence": Fence()}
        found = assemble(Environment(settings=settings_of(text, "t"), **terms)).sources["a"]
        chart = replace(snapshot(unreachable_chart()), absent=frozenset({"./"}))
        for one in (found._renderer, found._siblings["b"]):
            (problem,) = (await one.render(chart)).problems
            assert "Chart.yaml:4: the dependency 'part' 1.2.3" in str(problem) and "nobody listens there" in str(problem)


def test_a_push_is_made_as_the_one_who_may_write(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("reads")
    (tmp_path / "w").write_text("writes")
    reader, writer = (f"{{username: {name}, passwordFile: {tmp_path / name}}}" for name in "rw")
    text = "sources: [{{name: a, repository: 'https://h/a.git', branch: main, environment: demo, credentials: {}{}}}]"
    for more, password in ((f", writeCredentials: {writer}", "writes"), ("", "reads")):
        credential = write_remote(settings_of(text.format(reader, more), "t").sources[0]).credential()
        assert credential is not None and credential.password == password


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
    assert set(everything.engine._controllers) == {"rollout", "experiment", "analysisrun", "release", "source"}
    assert set(companion.engine._controllers) == {"release", "source"}


async def test_a_companion_tells_nothing_under_the_references_names(cluster: Api, tmp_path: Path) -> None:
    for text, told in (("namespace: x\n", True), ("controllers: [release]\n", False)):
        found = await assembled(cluster, tmp_path, text)
        families = {family.name for collector in found.collectors for family in collector.collect()}
        assert "reconciler_releases" in families and ("rollout_info" in families) is told


@pytest.mark.parametrize(("text", "place"), [("", "shop"), ("jobNamespace: checks\n", "checks")])
async def test_jobs_of_measurements_run_where_the_settings_say(cluster: Api, tmp_path: Path, text: str, place: str) -> None:
    await cluster.client.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "checks"}})
    found = await assembled(cluster, tmp_path, f"controllers: [analysis]\n{text}")
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    measured = {"name": "m", "provider": {"job": {"spec": {"template": {"spec": pod}}}}}
    metadata = {"name": "check", "namespace": "shop"}
    run = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": metadata, "spec": {"metrics": [measured]}}
    found.engine._cache.put(ANALYSIS_RUNS, await cluster.client.create(ANALYSIS_RUNS, run))
    await found.engine._controllers["analysisrun"].reconcile(Key("analysisrun", "shop", "check"))
    assert [namespace_of(job) for job in await cluster.client.list(JOBS)] == [place]


async def test_what_a_person_suspended_is_said_once_by_all_controllers_together(cluster: Api, tmp_path: Path) -> None:
    found = await assembled(cluster, tmp_path, "namespace: x\n")
    engine = found.engine
    held = rollout()
    held["metadata"]["annotations"] = {"reconciler.dev/suspend": "true"}
    engine._cache.put(ROLLOUTS, held)
    engine._cache.put(RELEASES, render_release(release()))
    for name, what in (("rollout", "web"), ("release", "web-bad"), ("rollout", "web")):
        await engine._controllers[name].reconcile(Key(name, "shop", what))
    await found.recorder.drain()
    assert [(event["reason"], event["count"]) for event in await cluster.client.list(EVENTS)] == [("Suspended", 1)]


async def test_a_folder_for_work_that_cannot_be_made_ends_the_start(cluster: Api, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Terminal, match=r"^workdir: .*/file/work cannot be made: it is no folder, .*; name a folder that can be written$"):
        await assembled(cluster, tmp_path / "file" / "work", sources(("a", "one")))


async def test_an_address_that_is_not_safe_ends_the_start(cluster: Api, tmp_path: Path) -> None:
    text = sources(("a", "one")).replace("file:///srv/one.git", "http://git.example.com/a/b")
    with pytest.raises(Terminal, match="in the clear; use https"):
        await assembled(cluster, tmp_path, text)


async def test_a_token_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "token"
    read = token_file(str(file))
    with pytest.raises(Transient, match="cannot be read: it does not exist; check that it is mounted"):
        await read()
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        assert await read() == token


async def test_notifiers_are_wired_by_name_and_fenced_for_their_environments(cluster: Api, tmp_path: Path) -> None:
    hook = "kind: webhook, url: 'https://h.example/x', tokenFile: /absent"
    text = f"notifiers: [{{name: chat, {hook}, environments: [demo]}}, {{name: all, {hook}}}]\n{sources(('a', 'one'))}"
    found = (await assembled(cluster, tmp_path, text)).subscriptions
    told = {name: [e for e in ("demo", "production") if each.includes(e)] for name, each in found.items()}
    assert told == {"chat": ["demo"], "all": ["demo", "production"]}
    assert isinstance(found["chat"].notifier, FencedNotifier)
    with pytest.raises(Transient, match="the token file /absent cannot be read"):
        await found["chat"].notifier.tell(message(), "")
