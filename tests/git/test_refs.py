"""Where branches stand, asked over real HTTP and over file://."""

from pathlib import Path

import pytest

from reconciler.git.credentials import Credential, credential_file
from reconciler.git.environment import remote_of
from reconciler.git.errors import RepositoryGone, Unauthorized, Unreachable
from reconciler.git.refs import RemoteRefs, parse_refs, question, ref_of, retry_after
from reconciler.kernel.errors import Terminal, Transient
from tests.kit.repositories import Origin
from tests.kit.smarthttp import Answer, Host


async def test_one_request_tells_where_a_branch_is(origin: Origin, host: Host, refs: RemoteRefs) -> None:
    assert await refs.head_of(remote_of(host.url("shop.git")), "main") == origin.head()
    assert host.requests == ["POST /shop.git/git-upload-pack"]


async def test_a_longer_name_is_another_branch(origin: Origin, host: Host, refs: RemoteRefs) -> None:
    origin.commit({"a": "b"}, branch="main2")
    origin.remove("main")
    assert await refs.head_of(remote_of(host.url("shop.git")), "main") is None
    assert len(host.requests) == 1


async def test_a_server_without_protocol_v2_is_asked_by_git(origin: Origin, host: Host, refs: RemoteRefs) -> None:
    host.faults.append(Answer(200))
    host.without_v2 = True
    remote = remote_of(host.url("shop.git"))
    assert await refs.head_of(remote, "main") == origin.head()
    assert await refs.head_of(remote, "gone") is None
    assert host.requests.count("POST /shop.git/git-upload-pack") == 1


async def test_a_local_repository_is_asked_by_git(origin: Origin, refs: RemoteRefs) -> None:
    origin.commit({"a": "b"}, branch="x/main")
    assert await refs.head_of(remote_of(origin.url), "main") == origin.head()
    assert await refs.head_of(remote_of(origin.url), "gone") is None


async def test_a_rotated_password_is_read_again(origin: Origin, host: Host, refs: RemoteRefs) -> None:
    host.users = {"bot": "new"}
    passwords = ["old", "new"]
    remote = remote_of(host.url("shop.git"), lambda: Credential("bot", passwords.pop(0)))
    assert await refs.head_of(remote, "main") == origin.head()


async def test_a_refused_credential_is_said_without_telling_it(host: Host, refs: RemoteRefs, tmp_path: Path) -> None:
    host.users = {"bot": "right"}
    (tmp_path / "token").write_text("wr0ng-t0ken\n")
    with pytest.raises(Unauthorized) as error:
        await refs.head_of(remote_of(host.url("shop.git"), credential_file("bot", str(tmp_path / "token"))), "main")
    assert "wr0ng" not in str(error.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(403), Unauthorized),
        (Answer(404), RepositoryGone),
        (Answer(500), Unreachable),
        (Answer(301, {"Location": "http://127.0.0.1:1/"}), Terminal),
        (Answer(200, {}, b"0" * (2 << 20)), Unreachable),
    ],
)
async def test_every_refusal_has_its_class(answer: Answer, kind: type[Exception], host: Host, refs: RemoteRefs) -> None:
    host.faults.append(answer)
    with pytest.raises(kind):
        await refs.head_of(remote_of(host.url("shop.git")), "main")


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_us_to_wait_says_how_long(status: int, host: Host, refs: RemoteRefs) -> None:
    host.faults.append(Answer(status, {"Retry-After": "17"}))
    with pytest.raises(Transient) as error:
        await refs.head_of(remote_of(host.url("shop.git")), "main")
    assert error.value.retry_after == 17


async def test_a_server_that_is_not_there_is_unreachable(refs: RemoteRefs) -> None:
    with pytest.raises(Unreachable):
        await refs.head_of(remote_of("http://127.0.0.1:1/shop.git"), "main")


@pytest.mark.parametrize("name", ["", "-x", "a..b", "a b", "a~1", "a.lock", "/a", "a/", "a\n", "@{0}", "a:b", "a*", "a//b", "a/.b"])
def test_what_is_no_branch_name_is_refused(name: str) -> None:
    with pytest.raises(Terminal):
        ref_of(name)


def test_a_question_is_made_of_packets() -> None:
    assert question("refs/heads/main").endswith(b"0001" + b"001fref-prefix refs/heads/main\n" + b"0000")


@pytest.mark.parametrize("answer", [b"", b"zz", b"000", b"0008abcd", b"00ff", b"<html>", b"0006a\n0000", b"-001"])
def test_nonsense_is_no_answer(answer: bytes) -> None:
    assert parse_refs(answer) is None


def test_an_empty_list_with_a_flush_is_an_answer() -> None:
    assert parse_refs(b"0000") == {}


def test_a_wait_may_be_given_as_a_date() -> None:
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("soon") is None
