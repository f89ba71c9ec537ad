"""Keys to sign with, made for one test; and commits signed by people."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.repositories import ENVIRONMENT, Origin, git

needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed: apt install openssh-client")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed: apt install gnupg")


def ssh_key(folder: Path, name: str = "id_ed25519", kind: str = "ed25519", passphrase: str = "") -> Path:
    """A private key; its public half lies beside it with `.pub`."""
    key = folder / name
    _run({}, "ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(key))
    return key


def allowed_signers(folder: Path, *keys: Path, options: str = "") -> Path:
    """A file that trusts these keys."""
    lines = [f"ann@example.com {options}{key.with_suffix('.pub').read_text(encoding='utf-8').strip()}" for key in keys]
    path = folder / "allowed_signers"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def sign_tip(origin: Origin, key: Path, branch: str = "main") -> str:
    """The tip of a branch again, with a signature by an ssh key."""
    return _signed(origin, branch, ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}"), {})


class OpenPgp:
    """One person with a key pair in a keyring of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def exported(self, *, armoured: bool = True) -> bytes:
        """The public key."""
        return _run({"GNUPGHOME": str(self.home)}, "gpg", "--batch", *(["--armor"] if armoured else []), "--export")

    def sign_tip(self, origin: Origin, branch: str = "main") -> str:
        """The tip of a branch again, with a signature by this key."""
        return _signed(origin, branch, ("-c", "gpg.format=openpgp", "-c", "user.signingKey=ann@example.com"), {"GNUPGHOME": str(self.home)})


@contextmanager
def open_pgp(home: Path, *, of: str = "", expires: str = "never") -> Iterator[OpenPgp]:
    """A key pair, made and used at another time if one is named; the agent that gpg starts for it is ended."""
    home.mkdir(mode=0o700)
    (home / "gpg.conf").write_text(f"faked-system-time {of}\n" if of else "", encoding="utf-8")
    own = {"GNUPGHOME": str(home)}
    try:
        words = ("--batch", "--passphrase", "", "--quick-generate-key", "Ann <ann@example.com>", "ed25519", "sign", expires)
        _run(own, "gpg", *words)
        yield OpenPgp(home)
    finally:
        _run(own, "gpgconf", "--kill", "all")


def _signed(origin: Origin, branch: str, configuration: tuple[str, ...], variables: Mapping[str, str]) -> str:
    tree, parents = (git(origin.path, "show", "-s", f"--format={form}", branch).decode().split() for form in ("%T", "%P"))
    words = (*configuration, "commit-tree", "-S", *tree, *(word for parent in parents for word in ("-p", parent)))
    person = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_AUTHOR_DATE": "@1700000000 +0000"}
    person["GIT_COMMITTER_DATE"] = person["GIT_AUTHOR_DATE"]
    said = git(origin.path, "show", "-s", "--format=%B", branch)
    made = _run({**ENVIRONMENT, **person, **variables}, "git", "-C", str(origin.path), *words, stdin=said).decode().strip()
    origin.force(made, branch)
    return made


def _run(variables: Mapping[str, str], *words: str, stdin: bytes = b"") -> bytes:
    fixed = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    done = subprocess.run(words, env={**fixed, **variables}, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout
