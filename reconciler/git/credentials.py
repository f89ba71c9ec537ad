"""Who we are at a Git server, handed to git through a pipe: not in arguments, environment, files or traces."""

import base64
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.kernel.errors import Transient
from reconciler.kernel.unusable import reason_of

LARGEST = 16_384
# The username is no secret; the password comes from the pipe whose number the environment names.
ASKPASS = """#!/bin/sh
case "$1" in
  Username*) printf '%s\\n' "$RECONCILER_GIT_USERNAME" ;;
  *) cat "/dev/fd/$RECONCILER_GIT_PASSWORD_PIPE" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Credential:
    """A username and a password or token, good for one use: ask again for the next one."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an HTTP Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


CredentialSource = Callable[[], Credential | None]


def nobody() -> None:
    """The credential of a public repository."""
    return None


def credential_file(username: str, path: str) -> CredentialSource:
    """A credential whose password is read from a file at each use, so it may rotate. Raises Transient while it cannot be read."""

    def read() -> Credential:
        try:
            password = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Transient(f"the password file {path} cannot be read: {reason_of(error)}; check that it is mounted") from error
        if not password or len(password) > LARGEST or "\n" in password:
            raise Transient(f"the password file {path} does not hold one line with a password; write the token into it")
        return Credential(username, password)

    return read


@dataclass(frozen=True, slots=True)
class SshFiles:
    """Which key we show and which hosts we trust over ssh; empty: those of the agent, and of the user's and machine's known_hosts."""

    key: str = ""
    known_hosts: str = ""

    def options(self) -> str:
        """What is added to the ssh command. Raises Transient while a file cannot be used, in words that ssh itself keeps short."""
        words: list[str] = []
        if self.key:
            usable_key(Path(self.key))
            words += ["-o", f'IdentityFile="{_escaped(self.key)}"', "-o", "IdentitiesOnly=yes"]
        if self.known_hosts:
            readable(Path(self.known_hosts), "known_hosts file")
            words += ["-o", f'UserKnownHostsFile="{_escaped(self.known_hosts)}"', "-o", "GlobalKnownHostsFile=/dev/null"]
        return "".join(f" {shlex.quote(word)}" for word in words)


NO_SSH_FILES = SshFiles()


def _escaped(path: str) -> str:
    """A path as ssh's own configuration takes it, absolute because git runs elsewhere: `%` begins a token, quotes end a word."""
    return str(Path(path).absolute()).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')


def usable_key(key: Path) -> None:
    """Raises Transient for a key that ssh would refuse or ask a password for, with no terminal to type it at."""
    text = readable(key, "ssh key")
    mode = key.stat()
    if mode.st_uid == os.getuid() and mode.st_mode & 0o077:
        raise Transient(f"the ssh key {key} can be read by others, so ssh refuses it: chmod 600 {key}")
    if b"PRIVATE KEY" not in text:
        raise Transient(f"the ssh key {key} holds no private key; name the file without .pub")


def readable(path: Path, what: str, limit: int = LARGEST) -> bytes:
    """The first bytes of a file that a person mounted. Raises Transient while it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise Transient(f"the {what} {path} cannot be read: {reason_of(error)}; check that it is mounted") from error


@dataclass(frozen=True, slots=True)
class Lent:
    """What a git process is given to find the credential: environment without secret, and the pipe it inherits."""

    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()


@contextmanager
def lend(credential: Credential | None, askpass: Path) -> Iterator[Lent]:
    """Lends a credential to one git process."""
    if credential is None:
        yield Lent()
        return
    reading, writing = os.pipe()
    try:
        # Smaller than any pipe buffer (LARGEST), so this never waits for a reader.
        os.write(writing, credential.password.encode() + b"\n")
        os.close(writing)
        environment = {
            "GIT_ASKPASS": str(askpass),
            "RECONCILER_GIT_USERNAME": credential.username,
            "RECONCILER_GIT_PASSWORD_PIPE": str(reading),
        }
        yield Lent(environment, (reading,))
    finally:
        os.close(reading)


def write_askpass(home: Path) -> Path:
    """Puts the script that git asks for credentials into `home`; it holds no secret."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    script = home / "askpass"
    if not script.exists() or script.read_text() != ASKPASS:
        fresh = home / f"askpass.{os.getpid()}"
        fresh.write_text(ASKPASS)
        fresh.chmod(0o700)
        fresh.replace(script)
    return script
