"""A password reaches git without being seen: not in arguments, environment, files or words."""

import asyncio
from pathlib import Path

import pytest

from reconciler.git.command import GitCall, Runner
from reconciler.git.credentials import Credential, credential_file
from reconciler.git.environment import remote_of
from reconciler.git.errors import Unauthorized
from reconciler.git.mirror import Mirror
from reconciler.kernel.errors import Transient
from tests.kit.repositories import Origin
from tests.kit.smarthttp import Host

SECRET = "tok3n-with spaces-and-'quotes'-\"ü"


def visible(secret: str) -> list[str]:
    """The processes whose arguments or environment show a secret, apart from this one."""
    import base64
    import os

    spellings = [secret.encode(), base64.b64encode(f"bot:{secret}".encode())]
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes()
            except OSError:
                continue
            found += [f"{process.name}/{name}" for spelling in spellings if spelling in text]
    return found


async def test_a_password_is_nowhere_to_be_seen_while_git_uses_it(host: Host, origin: Origin, tmp_path: Path, home: Path) -> None:
    host.users = {"bot": SECRET}
    mirror = Mirror(tmp_path / "m", remote_of(host.url("shop.git"), lambda: Credential("bot", SECRET)), home)
    host.stalling = True
    fetching = asyncio.create_task(mirror.fetch("main"))
    async with asyncio.timeout(20):
        await asyncio.to_thread(host.stalled.wait)
    seen = await asyncio.to_thread(visible, SECRET)
    host.stalling = False
    host.stall.set()
    assert (await fetching).new == origin.head()
    assert seen == []
    written = [path for root in (tmp_path / "m", home) for path in root.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    mirror.close()


async def test_a_wrong_password_is_refused_without_asking_a_terminal(host: Host, tmp_path: Path, home: Path) -> None:
    host.users = {"bot": "right"}
    mirror = Mirror(tmp_path / "m", remote_of(host.url("shop.git"), lambda: Credential("bot", "wr0ng-t0ken")), home)
    with pytest.raises(Unauthorized) as error:
        await mirror.fetch("main")
    assert "wr0ng" not in str(error.value)


async def test_no_credential_is_refused_without_asking_a_terminal(host: Host, home: Path) -> None:
    host.users = {"bot": "right"}
    runner = Runner(home, home)
    with pytest.raises(Unauthorized):
        await runner.output(GitCall(("ls-remote", "--", host.url("shop.git")), remote=remote_of(host.url("shop.git"))))


def test_a_rotated_file_is_read_at_each_use(tmp_path: Path) -> None:
    token = tmp_path / "token"
    source = credential_file("bot", str(token))
    for password in ("one", "two"):
        token.write_text(f"{password}\n")
        assert source() == Credential("bot", password)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"a\nb\n", b"\xff", b"x" * 20_000])
def test_a_file_without_one_password_is_said_so(content: bytes | None, tmp_path: Path) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)
    with pytest.raises(Transient, match="token"):
        credential_file("bot", str(token))()


def test_a_credential_does_not_show_its_password() -> None:
    assert "s3cret" not in repr(Credential("bot", "s3cret"))
