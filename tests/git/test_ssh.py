"""Which key is shown and which hosts are trusted over ssh: what really reaches the ssh program."""

from pathlib import Path

import pytest

from reconciler.git.command import GitCall, Runner
from reconciler.git.credentials import SshFiles
from reconciler.git.environment import environment, remote_of
from reconciler.kernel.errors import Transient

FAKE = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word" >> "{said}"; done
exit 255
"""
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the ssh program was told, a word a line."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(FAKE.format(said=tmp_path / "said"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return tmp_path / "said"


def words_of(said: Path) -> list[str]:
    return said.read_text().splitlines()


def key_in(folder: Path, *, text: str = KEY, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    key = folder / "id key"
    key.write_text(text)
    key.chmod(mode)
    return key


@pytest.mark.parametrize("url", ["ssh://git@host.example/a.git", "git@host.example:a.git"])
async def test_ssh_is_told_the_key_and_the_known_hosts(url: str, said: Path, tmp_path: Path) -> None:
    key, hosts = key_in(tmp_path / "50% of it"), tmp_path / "known"
    hosts.touch()
    runner = Runner(tmp_path, tmp_path / "home")
    await runner.run(GitCall(("ls-remote", "--", url), remote=remote_of(url, ssh=SshFiles(str(key), str(hosts)))))
    told = words_of(said)
    assert f'IdentityFile="{tmp_path}/50%% of it/id key"' in told
    assert {"IdentitiesOnly=yes", f'UserKnownHostsFile="{hosts}"', "StrictHostKeyChecking=yes", "BatchMode=yes"} <= set(told)


async def test_without_files_the_agent_and_the_machine_decide(said: Path, tmp_path: Path) -> None:
    url = "ssh://git@host.example/a.git"
    await Runner(tmp_path, tmp_path / "home").run(GitCall(("ls-remote", "--", url), remote=remote_of(url)))
    assert not any("Identit" in word or "KnownHosts" in word for word in words_of(said))


def test_a_key_that_ssh_would_refuse_is_said_before(tmp_path: Path) -> None:
    cases = {
        "chmod 600": key_in(tmp_path / "open", mode=0o644),
        "holds no private key": key_in(tmp_path / "public", text="ssh-ed25519 AAAA ann\n"),
        "cannot be read": tmp_path / "absent",
    }
    for words, key in cases.items():
        with pytest.raises(Transient, match=words):
            environment(tmp_path, "ssh", SshFiles(str(key)))
    with pytest.raises(Transient, match=r"the known_hosts file .* cannot be read"):
        environment(tmp_path, "ssh", SshFiles(known_hosts=str(tmp_path / "absent")))


def test_a_repository_over_http_asks_for_no_key(tmp_path: Path) -> None:
    assert "Identit" not in environment(tmp_path, "https")["GIT_SSH_COMMAND"]
