"""What git says when it fails, as exceptions a caller may name. Secrets never reach a message."""

import re

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor

LONGEST_MESSAGE = 2000


class Unreachable(Transient):
    """No answer, or one that says the other side is in trouble: try again later."""


class Unauthorized(Transient):
    """The server refuses who we are; the credential may be rotated, so later is worth a try."""


class RepositoryGone(Terminal):
    """No such repository, or no access to it: forges do not tell which."""


class BranchGone(Terminal):
    """The repository has no such branch. Nothing may be pruned because of it."""


class Unverified(Terminal):
    """A commit that no trusted key has signed. Nothing of it may be applied, and nothing may be built on it."""


class Damaged(Transient):
    """Our own copy is broken; it is disposable, so it is made again."""


class Failed(Transient):
    """git failed in a way that we cannot name."""


# In this order: the first pattern that matches names the failure.
CLASSES: tuple[tuple[re.Pattern[str], type[Transient] | type[Terminal]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"couldn't find remote ref|remote branch .* not found", BranchGone),
        (r"authentication failed|could not read (username|password)|error: 40[13]\b|permission denied \(publickey", Unauthorized),
        (r"repository .*not found|does not appear to be a git repository|error: 404\b", RepositoryGone),
        (r"host key verification failed|transport .* not allowed|unsupported protocol|redirect", Terminal),
        (
            r"could not resolve host|failed to connect|couldn't connect|connection (refused|reset|timed out)|error: (429|5\d\d)\b|"
            r"remote end hung up|early eof|operation too slow|timed? ?out|rpc failed|ssl|gnutls|unexpected disconnect",
            Unreachable,
        ),
        (
            r"not a git repository|bad object|corrupt|loose object|unable to read|missing (blob|tree|commit)|object .* is a|"
            r"packfile|bad pack|invalid sha1|reference broken|bad ref|did not send all necessary objects|inflate|hash mismatch",
            Damaged,
        ),
    )
)


def error_of(what: str, stderr: str) -> Transient | Terminal:
    """The exception for one failed git command. `stderr` is already redacted."""
    own = "\n".join(line for line in stderr.splitlines() if not line.startswith("remote:"))
    kind = next((kind for pattern, kind in CLASSES if pattern.search(own)), Failed)
    return kind(f"{what}: {_short(stderr)}")


def redact(text: str, *secrets: str) -> str:
    """A text without these secrets in any spelling that git or HTTP use, without passwords in URLs and without authorizations."""
    return Redactor(secrets).text(text)


def _short(stderr: str) -> str:
    text = " / ".join(line.strip() for line in stderr.splitlines() if line.strip())
    return text[:LONGEST_MESSAGE] or "git said nothing"
