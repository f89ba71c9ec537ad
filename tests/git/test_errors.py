"""git's words become classes; secrets never reach a message."""

import base64

import pytest

from reconciler.git.errors import BranchGone, Damaged, Failed, RepositoryGone, Unauthorized, Unreachable, error_of, redact
from reconciler.kernel.errors import Terminal

WORDS = {
    "fatal: couldn't find remote ref refs/heads/x": BranchGone,
    "fatal: Authentication failed for 'https://h/r'": Unauthorized,
    "fatal: could not read Username for 'https://h': terminal prompts disabled": Unauthorized,
    "fatal: unable to access 'http://h/': The requested URL returned error: 403": Unauthorized,
    "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.": Unauthorized,
    "fatal: repository 'http://h/r/' not found": RepositoryGone,
    "fatal: 'x' does not appear to be a git repository": RepositoryGone,
    "fatal: unable to access 'https://h/': Could not resolve host: h": Unreachable,
    "fatal: unable to access 'https://h/': Failed to connect to h port 443": Unreachable,
    "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502": Unreachable,
    "fatal: the remote end hung up unexpectedly": Unreachable,
    "fatal: bad object HEAD": Damaged,
    "error: object file ./objects/aa/bb is empty\nfatal: loose object aabb is corrupt": Damaged,
    "fatal: not a git repository (or any parent)": Damaged,
    "fatal: transport 'ext' not allowed": Terminal,
    "Host key verification failed.": Terminal,
    "fatal: something new": Failed,
}


@pytest.mark.parametrize("stderr", WORDS)
def test_a_failure_has_its_class(stderr: str) -> None:
    assert type(error_of("git fetch", stderr)) is WORDS[stderr]


def test_a_broken_server_is_no_broken_mirror() -> None:
    assert not isinstance(error_of("git fetch", "remote: fatal: bad object HEAD\nfatal: early EOF"), Damaged)


def test_a_secret_is_hidden_in_every_spelling() -> None:
    secret = "p@ss/word"
    text = f"{secret} p%40ss%2Fword {base64.b64encode(secret.encode()).decode()} https://u:x@h/ Authorization: Basic abc="
    hidden = redact(text, secret)
    assert not [part for part in ("p@ss", "%40", base64.b64encode(secret.encode()).decode(), "u:x", "abc=") if part in hidden]


def test_a_message_has_an_end() -> None:
    assert len(str(error_of("git fetch", "x" * 100_000))) < 3000
