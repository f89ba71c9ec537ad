"""The Git host as git and stories see it: clone, push, refusals, webhooks, faults."""

import asyncio
import base64
import gzip
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from reconciler_sandbox.githost.faults import Fault, answer, cut
from reconciler_sandbox.githost.host import GitHost

from tests.kit.githost import FILES, REPO, USERS, cloned, committed, git_host, run_git


async def test_a_clone_has_the_files_and_a_push_arrives(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        work = await cloned(host, tmp_path)
        assert (work / "app.yaml").read_bytes() == FILES["app.yaml"]
        sha = await committed(work, "app.yaml", "image: shop:1.1\n")
        await run_git(work, "push", "--quiet", "origin", "main")
        assert (await host.log(REPO))[0].sha == sha
        assert await host.read(REPO, "app.yaml") == b"image: shop:1.1\n"


async def test_a_folder_becomes_a_repository_with_its_executable_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "ünïcode name.txt").write_text("text")
    script = source / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    async with git_host(tmp_path) as host:
        await host.create_repository("shop/folder", source, branch="trunk")
        await run_git(tmp_path, "clone", "--quiet", host.clone_url("shop/folder", "ann"), "out")
        assert (tmp_path / "out" / "deep" / "ünïcode name.txt").read_text() == "text"
        assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o100


async def test_a_large_push_is_chunked_and_arrives_whole(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        work = await cloned(host, tmp_path)
        content = "\n".join(f"{n * 7919 % 104729} {n}" for n in range(300_000))
        sha = await committed(work, "big.txt", content)
        lengths: list[str | None] = []

        async def look(request: web.BaseRequest) -> None:
            lengths.append(request.headers.get("Content-Length"))

        host.faults.add(Fault(look, "POST", times=None))
        await run_git(work, "-c", "http.postBuffer=65536", "push", "--quiet", "origin", "main")
        assert lengths[-1] is None
        assert (await host.log(REPO))[0].sha == sha
        fresh = await cloned(host, tmp_path, "bot")
        assert (fresh / "big.txt").read_text() == content


LS_REFS = b"0014command=ls-refs\n0017object-format=sha1\n0001001fref-prefix refs/heads/main\n0000"


@pytest.mark.parametrize("zipped", [False, True])
async def test_one_post_of_ls_refs_is_enough_and_the_connection_stays_open(tmp_path: Path, zipped: bool) -> None:
    headers = {"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"}
    headers |= {"Content-Encoding": "gzip"} if zipped else {}
    body = gzip.compress(LS_REFS) if zipped else LS_REFS
    async with git_host(tmp_path) as host, httpx.AsyncClient(trust_env=False, auth=("ann", USERS["ann"])) as client:
        tip = (await host.log(REPO))[0].sha
        answers = [await client.post(host.clone_url(REPO) + "/git-upload-pack", headers=headers, content=body) for _ in range(2)]
        assert answers[0].content == f"003d{tip} refs/heads/main\n0000".encode() == answers[1].content
        assert len({a.extensions["network_stream"].get_extra_info("client_addr") for a in answers}) == 1


@pytest.mark.parametrize(
    ("credentials", "code"), [(None, 401), (("ann", "wrong"), 401), (("bot", USERS["ann"]), 401), (("x-access-token", USERS["ann"]), 200)]
)
async def test_git_needs_the_token_of_a_user(tmp_path: Path, credentials: tuple[str, str] | None, code: int) -> None:
    async with git_host(tmp_path) as host, httpx.AsyncClient(trust_env=False) as client:
        url = host.clone_url(REPO) + "/info/refs?service=git-upload-pack"
        response = await client.get(url, auth=credentials)
        assert response.status_code == code
        assert ("www-authenticate" in response.headers) == (code == 401)


async def test_a_reader_may_fetch_but_not_push(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        work = await cloned(host, tmp_path, "reader")
        await committed(work, "app.yaml", "x\n")
        refused = await run_git(work, "push", "origin", "main", check=False)
        assert refused.code == 128
        assert "403" in refused.errors


async def test_an_unknown_repository_is_not_found(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        refused = await run_git(tmp_path, "ls-remote", host.clone_url("shop/nothing", "ann"), check=False)
        assert refused.code == 128
        assert "not found" in refused.errors


async def test_two_pushes_at_once_let_one_win_and_tell_the_other_to_fetch(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        ann, bot = await cloned(host, tmp_path, "ann"), await cloned(host, tmp_path, "bot")
        await committed(ann, "app.yaml", "ann\n")
        await committed(bot, "app.yaml", "bot\n")
        pushes = await asyncio.gather(*(run_git(work, "push", "--porcelain", "origin", "main", check=False) for work in (ann, bot)))
        assert sorted(push.code for push in pushes) == [0, 1]
        loser = next(push for push in pushes if push.code)
        assert "rejected]" in loser.output
        assert len(await host.log(REPO)) == 2


async def test_a_push_whose_answer_is_lost_is_done_all_the_same(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        work = await cloned(host, tmp_path)
        sha = await committed(work, "app.yaml", "x\n")
        host.faults.add(Fault(cut(), "POST", "*/git-receive-pack", after=True))
        lost = await run_git(work, "push", "origin", "main", check=False)
        assert lost.code != 0
        assert (await host.log(REPO))[0].sha == sha


async def test_a_fault_before_the_work_prevents_it_once(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        work = await cloned(host, tmp_path)
        await committed(work, "app.yaml", "x\n")
        host.faults.add(Fault(answer(503), "POST", "*/git-receive-pack"))
        assert (await run_git(work, "push", "origin", "main", check=False)).code != 0
        assert len(await host.log(REPO)) == 1
        await run_git(work, "push", "--quiet", "origin", "main")
        assert len(await host.log(REPO)) == 2


async def test_a_host_without_users_serves_everybody(tmp_path: Path) -> None:
    host = GitHost(tmp_path / "open", users={})
    await host.start()
    try:
        await host.create_repository("a/b", FILES)
        await run_git(tmp_path, "clone", "--quiet", host.clone_url("a/b"), "copy")
        await committed(tmp_path / "copy", "app.yaml", "x\n")
        await run_git(tmp_path / "copy", "push", "--quiet", "origin", "main")
        assert len(await host.log("a/b")) == 2
    finally:
        await host.stop()


async def test_stories_open_and_merge_pull_requests_with_real_git(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        pull = await host.open_pull(
            REPO, "bump", "Bump shop", {"app.yaml": b"image: shop:1.1\n", "other.yaml": None}, "Ann <ann@example.com>"
        )
        merge = await host.merge_pull(REPO, pull.number)
        newest = (await host.log(REPO))[0]
        assert (newest.sha, len(newest.parents)) == (merge, 2)
        assert newest.message.startswith("Merge pull request #1 from shop/bump")
        work = await cloned(host, tmp_path)
        assert [p.name for p in work.glob("*.yaml")] == ["app.yaml"]
        assert host.pulls(REPO)[0].merged


async def test_a_push_tells_the_webhook_and_is_tried_again(tmp_path: Path) -> None:
    answers = [500, 202]

    async def receive(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(status=answers.pop(0))

    runner = web.ServerRunner(web.Server(receive))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with git_host(tmp_path) as host:
        host.add_webhook(REPO, f"http://127.0.0.1:{runner.addresses[0][1]}/hook", "s3cret")
        work = await cloned(host, tmp_path)
        sha = await committed(work, "app.yaml", "x\n")
        await run_git(work, "push", "--quiet", "origin", "main")
        await asyncio.wait_for(host.delivered(), 20)
        assert [(d.event, d.attempt, d.status) for d in host.deliveries] == [("push", 1, 500), ("push", 2, 202)]
        payload = host.deliveries[0].payload
        assert (payload["ref"], payload["after"], payload["pusher"]["name"]) == ("refs/heads/main", sha, "ann")
        assert payload["head_commit"]["modified"] == ["app.yaml"]
        assert payload["repository"]["clone_url"] == host.clone_url(REPO)
    await runner.cleanup()


async def test_stories_that_write_at_once_all_land(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        await asyncio.gather(*(host.push_files(REPO, "main", {f"{n}.yaml": b"x\n"}, str(n)) for n in range(6)))
        assert sorted(c.message for c in await host.log(REPO)) == ["0", "1", "2", "3", "4", "5", "Initial commit"]


async def test_a_push_that_breaks_off_changes_nothing_and_leaves_nothing_running(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host:
        place = httpx.URL(host.url)
        token = base64.b64encode(f"ann:{USERS['ann']}".encode()).decode()
        _, writer = await asyncio.open_connection(place.host, place.port)
        head = f"POST /{REPO}.git/git-receive-pack HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {token}\r\nContent-Length: 5000\r\n"
        writer.write(head.encode() + b"Content-Type: application/x-git-receive-pack-request\r\n\r\n0094")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.wait_for(_until_answered(host), 20)
        assert len(await host.log(REPO)) == 1


async def _until_answered(host: GitHost) -> None:
    answered = asyncio.Event()

    def look() -> None:
        if any(path.endswith("git-receive-pack") for _, path, _ in host.requests):
            answered.set()
        else:
            asyncio.get_running_loop().call_later(0.01, look)

    look()
    await answered.wait()
