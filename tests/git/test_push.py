"""Pushes: never by force, every refusal has its class, and concurrent writers all land."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from reconciler.git.command import Finished, Runner
from reconciler.git.commit import Draft, Message, build
from reconciler.git.environment import Remote, remote_of
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Committer
from reconciler.git.push import AlreadyThere, Outcome, Pushed, Pusher, PushRefused, Refusal, Unclear, classify
from reconciler.git.refs import RemoteRefs
from tests.kit.repositories import Origin
from tests.kit.smarthttp import Answer, Host

OID = "a" * 40
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def allowed() -> None:
    return None


def refusal(outcome: Outcome) -> Refusal | None:
    return outcome.kind if isinstance(outcome, PushRefused) else None


class Writer:
    """One of our daemons: a mirror and a pusher of its own."""

    def __init__(self, directory: Path, remote: Remote, http: httpx.AsyncClient) -> None:
        home = directory / "home"
        self.mirror = Mirror(directory / "mirror", remote, home)
        self.pusher = Pusher(self.mirror.runner, remote, RemoteRefs(http, Runner(home, home)), allowed)

    async def draft(self, name: str, content: str) -> str:
        head = (await self.mirror.fetch("main")).new
        draft = Draft(parent=head, files={name: content.encode()}, message=Message(f"set {content}"), author=Committer(), time=AT)
        return await build(self.mirror.runner, draft)

    async def write(self, name: str, content: str) -> Outcome:
        return await self.pusher.push("main", await self.draft(name, content))

    async def insist(self, name: str, content: str) -> None:
        for _ in range(40):
            outcome = await self.write(name, content)
            if isinstance(outcome, Pushed):
                return
            assert isinstance(outcome, Unclear) or refusal(outcome) is Refusal.MOVED, outcome
        raise AssertionError("did not land")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def writer(tmp_path: Path, host: Host, http: httpx.AsyncClient):
    found = Writer(tmp_path / "w", remote_of(host.url("shop.git")), http)
    yield found
    found.mirror.close()


async def test_a_commit_lands_and_a_second_push_finds_it(origin: Origin, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    assert isinstance(await writer.pusher.push("main", oid), Pushed)
    assert origin.head() == oid
    assert await writer.pusher.push("main", oid) == AlreadyThere(oid)
    assert origin.read("env/web.yaml") == b"image: web:0\n"


async def test_a_branch_that_moved_is_a_race_and_stays_as_it_is(origin: Origin, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    theirs = origin.commit({"env/web.yaml": "image: web:3\n"})
    assert refusal(await writer.pusher.push("main", oid)) is Refusal.MOVED
    assert origin.head() == theirs


async def test_a_rewritten_branch_is_never_overwritten(origin: Origin, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    theirs = origin.rewrite({"env/web.yaml": "image: web:4\n"})
    assert refusal(await writer.pusher.push("main", oid)) is Refusal.MOVED
    assert origin.head() == theirs


async def test_a_new_branch_is_created_once(origin: Origin, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    assert isinstance(await writer.pusher.push("restore/web-1", oid), Pushed)
    assert isinstance(await writer.pusher.push("restore/web-1", oid), AlreadyThere)
    assert origin.head("restore/web-1") == oid


async def test_a_protected_branch_needs_a_proposal(origin: Origin, writer: Writer) -> None:
    origin.refuse("error: GH006: Protected branch update failed for refs/heads/main.")
    outcome = await writer.write("env/web.yaml", "image: web:0\n")
    assert refusal(outcome) is Refusal.PROTECTED
    assert "GH006" in outcome.reason


async def test_words_nobody_knows_need_a_proposal_unless_the_branch_moved(origin: Origin, writer: Writer) -> None:
    origin.refuse("Computer says no")
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    outcome = await writer.pusher.push("main", oid)
    assert outcome == PushRefused(Refusal.HOOK, "[remote rejected] (pre-receive hook declined)", "Computer says no")
    assert outcome.reason == "[remote rejected] (pre-receive hook declined): Computer says no"
    origin.commit({"README.md": "moved"})
    assert refusal(await writer.pusher.push("main", oid)) is Refusal.MOVED


async def test_a_push_whose_answer_was_lost_is_looked_up(origin: Origin, host: Host, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    host.loses_answers_to_pushes = True
    assert isinstance(await writer.pusher.push("main", oid), Pushed)
    assert origin.head() == oid


async def test_a_server_in_trouble_is_unclear(host: Host, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    host.faults = [Answer(502)]
    assert isinstance(await writer.pusher.push("main", oid), Unclear)


async def test_a_refused_credential_is_denied(host: Host, writer: Writer) -> None:
    oid = await writer.draft("env/web.yaml", "image: web:0\n")
    host.users = {"bot": "right"}
    assert refusal(await writer.pusher.push("main", oid)) is Refusal.PERMISSION


async def test_nothing_is_pushed_without_a_permit(origin: Origin, mirror: Mirror, refs: RemoteRefs) -> None:
    class Frozen(Exception):
        pass

    def frozen() -> None:
        raise Frozen

    head = (await mirror.fetch("main")).new
    with pytest.raises(Frozen):
        await Pusher(mirror.runner, mirror.remote, refs, frozen).push("other", head)
    assert origin.head("other") is None


async def test_three_writers_with_five_edits_each_all_land(origin: Origin, host: Host, tmp_path: Path, http: httpx.AsyncClient) -> None:
    origin.commit({f"env/{number}.yaml": "v: 0\n" for number in range(3)})
    before = len(origin.log("%H"))
    writers = [Writer(tmp_path / f"w{number}", remote_of(host.url("shop.git")), http) for number in range(3)]

    async def edits(number: int) -> None:
        for value in range(1, 6):
            await writers[number].insist(f"env/{number}.yaml", f"v: {value}\n")

    async with asyncio.timeout(90):
        await asyncio.gather(*map(edits, range(3)))
    assert [origin.read(f"env/{number}.yaml") for number in range(3)] == [b"v: 5\n"] * 3
    assert len(origin.log("%H")) == before + 15
    assert all(len(parents.split()) == 1 for parents in origin.log("%P")[:-1])
    for writer in writers:
        writer.mirror.close()


HOOK = "[remote rejected] (pre-receive hook declined)"
SAID = {
    ("[rejected] (fetch first)", ""): Refusal.MOVED,
    ("[rejected] (non-fast-forward)", ""): Refusal.MOVED,
    ("[rejected] (stale info)", ""): Refusal.MOVED,
    ("[remote rejected] (failed to update ref)", ""): Refusal.MOVED,
    ("[remote rejected] (cannot lock ref 'refs/heads/main': is at a but expected b)", ""): Refusal.MOVED,
    ("[remote rejected] (incorrect old value provided)", ""): Refusal.MOVED,
    ("[remote rejected] (reference already exists)", ""): Refusal.MOVED,
    ("[rejected] (fetch first)", "You may want to create a pull request"): Refusal.MOVED,
    ("[remote rejected] (protected branch hook declined)", "error: GH006: Protected branch update failed"): Refusal.PROTECTED,
    (
        "[remote rejected] (push declined due to repository rule violations)",
        "error: GH013: - Changes must be made through a pull request.",
    ): Refusal.PROTECTED,
    (
        "[remote rejected] (push declined due to repository rule violations)",
        "error: GH013: - Push cannot contain secrets",
    ): Refusal.PROTECTED,
    (
        "[remote rejected] (push declined due to repository rule violations)",
        "GH013: Commits must have verified signatures.",
    ): Refusal.PROTECTED,
    (HOOK, "GitLab: You are not allowed to push code to protected branches on this project."): Refusal.PROTECTED,
    (HOOK, "Gitea: Not allowed to push to protected branch main"): Refusal.PROTECTED,
    (HOOK, "Gitea: User permission denied for writing."): Refusal.PERMISSION,
    ("[remote rejected] (TF402455: Pushes to this branch are not permitted; you must use a pull request)", ""): Refusal.PROTECTED,
    (HOOK, "error: GH001: Large files detected."): Refusal.HOOK,
    (HOOK, "no comment"): Refusal.HOOK,
    ("[remote failure] (remote failed to report status)", ""): None,
    (HOOK, "DCO: sign off your commits, then open a pull request"): Refusal.HOOK,
    (HOOK, "this repository is read-only for bots"): Refusal.HOOK,
    (HOOK, "a secret was found in web.yaml; you are not authorized to override"): Refusal.HOOK,
    ("[remote rejected] (repository is archived)", ""): Refusal.PERMISSION,
    ("[remote rejected] (computer says no)", ""): Refusal.UNKNOWN,
}


@pytest.mark.parametrize(("summary", "said"), SAID)
def test_a_refusal_has_its_class(summary: str, said: str) -> None:
    stdout = f"To https://h/r\n!\t{OID}:refs/heads/main\t{summary}\nDone\n".encode()
    stderr = f"remote: {said}\nerror: failed to push some refs\nhint: fetch first" if said else "error: failed to push some refs"
    assert refusal(classify(Finished(1, stdout, stderr), OID)) is SAID[summary, said]


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("fatal: Authentication failed for 'https://h/'", Refusal.PERMISSION),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", Refusal.PERMISSION),
        ("fatal: repository 'https://h/r' not found", Refusal.PERMISSION),
        ("fatal: unable to access 'https://h/': Failed to connect to h", None),
        ("fatal: the remote end hung up unexpectedly", None),
        ("", None),
    ],
)
def test_a_push_that_never_reached_a_ref_has_its_class(stderr: str, kind: Refusal | None) -> None:
    assert refusal(classify(Finished(128, b"", stderr), OID)) is kind


def test_a_bypassed_protection_is_noted() -> None:
    done = Finished(0, f"To x\n \t{OID}:refs/heads/main\ta..b\nDone\n".encode(), "remote: Bypassed rule violations for refs/heads/main:\n")
    assert classify(done, OID) == Pushed(OID, "Bypassed rule violations for refs/heads/main:")


def test_the_words_of_a_hook_are_told_line_by_line_without_colours_and_secrets() -> None:
    stdout = f"!\t{OID}:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n".encode()
    stderr = (
        "remote: \x1b[31mNo sign-off.\x1b[0m        \nremote: \nremote: See https://bot:token@h/dco\x07\nerror: failed to push some refs"
    )
    outcome = classify(Finished(1, stdout, stderr), OID)
    assert isinstance(outcome, PushRefused)
    assert outcome.said == "No sign-off.\nSee https://*****@h/dco"
    assert outcome.kind.asks_for_proposal


@pytest.mark.parametrize(("kind", "proposed"), [(kind, kind not in (Refusal.MOVED, Refusal.PERMISSION)) for kind in Refusal])
def test_a_proposal_is_tried_wherever_it_may_pass(kind: Refusal, proposed: bool) -> None:
    assert kind.asks_for_proposal is proposed
