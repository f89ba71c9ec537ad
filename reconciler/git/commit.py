"""Builds a commit on top of another by changing the bytes of some files; no worktree, no index.

The same draft on the same parent is the same commit: author, committer and date are given, so a retry makes no second one.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.git.command import GitCall, Runner
from reconciler.git.names import argument, bytes_of, is_file_name
from reconciler.git.objects import Committer, Oid, one_line
from reconciler.git.signatures import signed
from reconciler.git.tree import REGULAR
from reconciler.kernel.errors import Terminal
from reconciler.kernel.text import clean, commit_line

NOBODY = "0" * 40
SKIP_PIPELINES = "[skip ci]"
"""GitHub, GitLab, Bitbucket and Azure start nothing for a commit that says so; what starts by other rules is not held by it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A commit message; trailers are its last paragraph."""

    subject: str
    body: str = ""
    trailers: Mapping[str, str] = field(default_factory=dict)
    directive: str = ""
    """A line for pipelines that is ours, and so is not taken apart."""

    @property
    def text(self) -> str:
        """The whole message; what forges and pipelines would obey in it is taken apart, wherever it came from."""
        trailers = "\n".join(f"{_joined(key)}: {_joined(value)}" for key, value in self.trailers.items())
        body = "\n".join(commit_line(line) for line in clean(self.body).strip().split("\n"))
        parts = (commit_line(self.subject), body, self.directive, trailers)
        return "\n\n".join(part for part in parts if part) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One commit to build: new bytes of existing files, by name from the repository's root.

    `after` are further commits that it comes after, such as an earlier state of our own branch: so that no push needs force.
    """

    parent: Oid
    files: Mapping[str, bytes]
    message: Message
    author: Committer
    time: datetime
    after: tuple[Oid, ...] = ()

    @property
    def text(self) -> str:
        """The whole message, with what the author's commits carry."""
        signed_off = {"Signed-off-by": self.author_line} if self.author.sign_off else {}
        directive = SKIP_PIPELINES if self.author.skip_pipelines else ""
        return replace(self.message, trailers={**self.message.trailers, **signed_off}, directive=directive).text

    @property
    def author_line(self) -> str:
        """Name and address, as headers of commits have them."""
        return f"{_identity(self.author.name)} <{_identity(self.author.email)}>"


async def build(runner: Runner, draft: Draft) -> Oid:
    """Writes the commit into the mirror. Raises Terminal for files that are not there, are no regular files, or do not differ."""
    entries = await _entries(runner, draft)
    scratch = f"refs/scratch/{hashlib.sha256(repr(draft).encode(errors='backslashreplace')).hexdigest()[:32]}"
    output = await runner.output(GitCall(("fast-import", "--quiet", "--done", "--force"), b"".join(_stream(draft, entries, scratch))))
    oid = output.decode().strip()
    return await _signed(runner, draft, oid) if draft.author.signing_key_file else oid


async def _signed(runner: Runner, draft: Draft, unsigned: Oid) -> Oid:
    """The same commit with a signature."""
    tree = await runner.git("rev-parse", "--verify", f"{unsigned}^{{tree}}")
    who = {"NAME": _identity(draft.author.name), "EMAIL": _identity(draft.author.email), "DATE": f"@{int(draft.time.timestamp())} +0000"}
    said = {f"GIT_{role}_{part}": word for role in ("AUTHOR", "COMMITTER") for part, word in who.items()}
    call = GitCall((), draft.text.encode(errors="backslashreplace"), variables=said)
    return await signed(runner, tree, (draft.parent, *draft.after), call, draft.author.signing_key_file)


@dataclass(frozen=True, slots=True)
class _StagedEntry:
    """One file to change: its name as git has it, its mode, its new bytes."""

    name: bytes
    mode: str
    content: bytes


async def _entries(runner: Runner, draft: Draft) -> list[_StagedEntry]:
    if not draft.files or not all(map(is_file_name, draft.files)):
        raise Terminal("a commit changes files by their names from the repository's root")
    names = await bytes_of(runner, draft.parent, draft.files)
    wanted = map(argument, sorted(names.values()))
    call = GitCall(("--literal-pathspecs", "ls-tree", "-z", "--full-tree", draft.parent, "--", *wanted))
    records = [record.partition(b"\t") for record in (await runner.output(call)).split(b"\0") if record]
    found = {name: facts.decode().split() for facts, _, name in records}
    for name, raw in names.items():
        if raw not in found or found[raw][0] not in REGULAR:
            raise Terminal(f"{one_line(name)} at {draft.parent[:12]} is no regular file; it is edited by hand only")
    contents = await runner.read([found[names[name]][2] for name in draft.files])
    if contents == list(draft.files.values()):
        raise Terminal("the commit would change nothing")
    return [_StagedEntry(names[name], found[names[name]][0], content) for name, content in sorted(draft.files.items())]


def _stream(draft: Draft, entries: Sequence[_StagedEntry], scratch: str) -> Iterator[bytes]:
    """What fast-import is fed: the commit on a scratch ref, its name asked back, and the ref removed again."""
    person = f"{draft.author_line} {int(draft.time.timestamp())} +0000"
    yield f"feature done\ncommit {scratch}\nmark :1\nauthor {person}\ncommitter {person}\n".encode()
    yield _sized(draft.text.encode(errors="backslashreplace"))
    yield "".join((f"from {draft.parent}\n", *(f"merge {other}\n" for other in draft.after))).encode()
    for entry in entries:
        yield f"M {entry.mode} inline {_quoted(entry.name)}\n".encode() + _sized(entry.content)
    yield f"\nget-mark :1\nreset {scratch}\nfrom {NOBODY}\n\ndone\n".encode()


def _sized(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _quoted(name: bytes) -> str:
    plain = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:03o}" for byte in name)
    return f'"{plain}"'


def _identity(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable() and sign not in "<>").strip() or "reconciler"


def _joined(text: str) -> str:
    return " ".join(clean(text).split())
