"""The forge and the inbox in memory keep what real ones promise, and can be as ill as real ones are."""

from collections.abc import AsyncIterator

import httpx
import pytest
from reconciler_sandbox.metrics.store import Store
from reconciler_sandbox.rehearsal.virtual.forge import FORGE, REPOSITORY, MemoryForge
from reconciler_sandbox.rehearsal.virtual.http import Illness, MemoryHttp, Server
from reconciler_sandbox.rehearsal.virtual.inbox import HOOK, INBOX, MemoryInbox
from reconciler_sandbox.rehearsal.virtual.remote import MemoryRemote

from reconciler.forges.github import GitHub
from reconciler.kernel.errors import Terminal, Transient
from reconciler.notifiers.webhook import WebhookNotifier, WebhookTerms
from reconciler.releases.announce.forge import Announcement, CommitState, Proposal, PullState
from tests.kit.notices import message


async def token() -> str:
    return "t0ken"


async def nothing() -> str:
    return ""


async def hook() -> str:
    return INBOX + HOOK


async def never(seconds: float) -> None:
    """Nobody waits between two tries."""


class Bench:
    """Both servers, and the daemon's own clients of them."""

    def __init__(self) -> None:
        self.remote = MemoryRemote()
        self.head = self.remote.commit({"app.yaml": b"image: shop:1.0\n"}, "first", at=0)
        self.host, self.inbox = MemoryForge(self.remote), MemoryInbox()
        self.servers = {FORGE: Server(self.host.answer), INBOX: Server(self.inbox.answer)}
        self.client = httpx.AsyncClient(transport=MemoryHttp(Store(retention=60.0), lambda: None, self.servers))
        self.forge = GitHub(REPOSITORY, token, self.client, FORGE)
        self.notifier = WebhookNotifier(WebhookTerms(url=hook, token=nothing, secret=nothing), self.client, never)

    def said(self, pull: int | None, *, state: CommitState = CommitState.SUCCESS, body: str = "It passed.") -> Announcement:
        known = {"context": "reconciler/demo", "description": "passed", "target_url": "", "marker": "<!-- reconciler:v1 shop/demo -->"}
        return Announcement(pull=pull, commit=self.head, status=state, body=body, **known)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    found = Bench()
    yield found
    await found.client.aclose()


async def test_a_merged_pull_request_is_found_by_its_commit_and_no_other_commit(bench: Bench) -> None:
    pull = bench.host.merged(bench.head, "Bump shop")
    found = await bench.forge.pull_of(bench.head)
    assert found is not None and (found.number, found.state, found.merge_commit) == (pull.number, PullState.MERGED, bench.head)
    direct = bench.remote.commit({"other.yaml": b"x"}, "direct", at=1)
    assert await bench.forge.pull_of(direct) is None and await bench.forge.pull_of("0" * 40) is None


async def test_an_announcement_is_one_comment_and_one_status_and_a_newer_one_rewrites_it(bench: Bench) -> None:
    pull = bench.host.merged(bench.head, "Bump shop")
    for said in (bench.said(pull.number, state=CommitState.PENDING, body="Under way."), bench.said(pull.number), bench.said(pull.number)):
        await bench.forge.announce(said)
    assert [comment.body for comment in bench.host.comments] == ["<!-- reconciler:v1 shop/demo -->\nIt passed."]
    assert [status.state for status in bench.host.statuses] == ["pending", "success"]
    assert bench.host.state_of(bench.head, "reconciler/demo") == "success" and not bench.host.state_of(bench.head, "another")


async def test_a_proposal_is_opened_once_and_withdrawn_with_its_sentence(bench: Bench) -> None:
    wanted = Proposal(head="restore/shop", base="main", title="Restore shop", body="Because.", labels=("restore",))
    with pytest.raises(Terminal):
        await bench.forge.propose(wanted)  # there is no such branch
    bench.remote.store.refs["refs/heads/restore/shop"] = bench.head
    first, second = await bench.forge.propose(wanted), await bench.forge.propose(wanted)
    assert first is not None and first == second
    await bench.forge.withdraw("restore/shop", "main", "It is proven by now.")
    assert [(pull.state, pull.title) for pull in bench.host.pulls] == [("closed", "Restore shop")]
    assert [comment.body for comment in bench.host.comments] == ["It is proven by now."]


async def test_the_inbox_lets_a_newer_state_take_the_place_of_the_older_one(bench: Bench) -> None:
    handle = ""
    for headline in ("under way", "failed"):
        handle = await bench.notifier.tell(message(headline=headline), handle)
    assert [one["headline"] for one in bench.inbox.told.values()] == ["failed"]
    bench.inbox.told.clear()
    assert await bench.notifier.tell(message(headline="restored"), handle) and len(bench.inbox.told) == 1


@pytest.mark.parametrize("illness", [Illness.AWAY, Illness.BROKEN, Illness.EMPTY, Illness.NONSENSE])
async def test_an_ill_forge_is_an_error_that_the_daemon_knows(bench: Bench, illness: Illness) -> None:
    pull = bench.host.merged(bench.head, "Bump shop")
    bench.servers[FORGE].illness = illness
    with pytest.raises((Transient, Terminal)):
        await bench.forge.announce(bench.said(pull.number))
    bench.servers[FORGE].illness = Illness.NONE
    await bench.forge.announce(bench.said(pull.number))
    assert len(bench.host.comments) == 1, "whatever was done while the answer was nonsense is found again"
