"""One bare repository, written and merged with real git and without any worktree."""

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler_sandbox.githost.command import GitFailed, git

SETTINGS = {
    "http.receivepack": "true",
    "receive.advertisePushOptions": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
FIELDS = "%H%x1f%P%x1f%T%x1f%an%x1f%ae%x1f%aI%x1f%B%x1e"
Files = Mapping[str, bytes | None]
"""File contents by path; None removes the file."""


class MergeConflict(Exception):
    """Both sides changed the same lines."""


class Outrun(Exception):
    """The branch moved while we were writing."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as git shows it."""

    sha: str
    parents: tuple[str, ...]
    tree: str
    author_name: str
    author_email: str
    date: str
    message: str


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address in a commit."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class Joined:
    """A commit to make of a tree: its parents, words and author."""

    tree: str
    parents: tuple[str, ...]
    message: str
    author: Person


def person(text: str) -> Person:
    """`Ann <ann@example.com>`, or a bare name that gets an address at example.com."""
    name, angle, rest = text.partition("<")
    if angle:
        return Person(name.strip(), rest.rstrip("> "))
    return Person(text, f"{text.lower().replace(' ', '.')}@example.com")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path relative to it, without `.git`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def executables_of(folder: Path) -> frozenset[str]:
    """Which of those files may be executed by their owner."""
    return frozenset(path for path in files_of(folder) if (folder / path).stat().st_mode & stat.S_IXUSR)


def quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def change_of(path: str, content: bytes | None, mode: str) -> bytes:
    """One line of a fast-import commit: the file's new content, or its removal."""
    if content is None:
        return f"D {quoted(path)}\n".encode()
    return f"M {mode} inline {quoted(path)}\ndata {len(content)}\n".encode() + content + b"\n"


class Repository:
    """A bare repository in a folder; `name` is owner/name."""

    def __init__(self, folder: Path, name: str, branch: str) -> None:
        self.folder = folder
        self.name = name
        self.default_branch = branch

    async def create(self) -> None:
        """Make the repository on disk; an existing one is a GitFailed."""
        self.folder.mkdir(parents=True)
        await git(self.folder, "init", "--quiet", "--bare", "--template=", f"--initial-branch={self.default_branch}", ".")
        for key, value in SETTINGS.items():
            await git(self.folder, "config", key, value)

    async def resolve(self, revision: str) -> str | None:
        """The commit behind a revision, if the repository has it."""
        found = await git(
            self.folder, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}", expected=(0, 1, 128)
        )
        return found.text if found.code == 0 else None

    async def tip(self, branch: str) -> str | None:
        return await self.resolve(f"refs/heads/{branch}")

    async def refs(self) -> dict[str, str]:
        """Every branch and tag with its object."""
        listed = await git(self.folder, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
        return dict(line.split(" ", 1) for line in listed.text.splitlines())

    async def read(self, revision: str, path: str) -> bytes:
        return (await git(self.folder, "cat-file", "blob", f"{revision}:{path}")).output

    async def log(self, revision: str, *limits: str) -> list[Commit]:
        """Commits from a revision back, newest first, no parent before its children."""
        shown = await git(self.folder, "log", "--topo-order", f"--format={FIELDS}", *limits, "--end-of-options", revision, "--")
        records = [record.lstrip("\n").split("\x1f") for record in shown.output.decode(errors="replace").split("\x1e")]
        return [Commit(r[0], tuple(r[1].split()), r[2], r[3], r[4], r[5], r[6].strip("\n")) for r in records if len(r) == 7]

    async def changed(self, sha: str) -> dict[str, list[str]]:
        """Paths that one commit added, modified and removed against its first parent."""
        listed = await git(
            self.folder, "diff-tree", "-r", "-z", "--root", "--no-renames", "--no-commit-id", "--name-status", "-m", "--first-parent", sha
        )
        words = listed.output.decode(errors="replace").split("\0")
        pairs = list(zip(words[::2], words[1::2], strict=False))
        kinds = {"added": "A", "modified": "MT", "removed": "D"}
        return {kind: [path for letter, path in pairs if letter in letters] for kind, letters in kinds.items()}

    async def contains(self, newer: str, older: str) -> bool:
        """Whether `older` is `newer` or an ancestor of it."""
        return (await git(self.folder, "merge-base", "--is-ancestor", older, newer, expected=(0, 1, 128))).code == 0

    async def write(self, branch: str, files: Files, message: str, author: Person, *, executable: frozenset[str] = frozenset()) -> str:
        """Commit these files on a branch, which starts at the default branch's tip if it is new; Outrun if it moved meanwhile."""
        before = await self.tip(branch)
        start = before or await self.tip(self.default_branch)
        words = message.encode()
        head = [f"commit refs/heads/{branch}", "mark :1", f"author {author} now", f"committer {author} now", f"data {len(words)}"]
        stream = "\n".join(head).encode() + b"\n" + words + b"\n"
        stream += f"from {start}\n".encode() if start else b""
        stream += b"".join(change_of(path, files[path], "100755" if path in executable else "100644") for path in files)
        stream += b"\nget-mark :1\ndone\n"
        try:
            made = await git(self.folder, "fast-import", "--quiet", "--done", "--date-format=now", stdin=stream)
        except GitFailed as error:
            if await self.tip(branch) != before:
                raise Outrun(f"{branch} moved while the commit was written") from error
            raise
        return made.text

    async def merged_tree(self, base: str, head: str) -> str:
        """The tree of both sides joined."""
        tried = await git(self.folder, "merge-tree", "--write-tree", "--allow-unrelated-histories", base, head, expected=(0, 1))
        if tried.code:
            raise MergeConflict(f"{base} and {head} change the same lines")
        return tried.text

    async def commit(self, joined: Joined) -> str:
        """Make a commit object; no branch moves."""
        author = {"GIT_AUTHOR_NAME": joined.author.name, "GIT_AUTHOR_EMAIL": joined.author.email}
        committer = {"GIT_COMMITTER_NAME": "GitHub", "GIT_COMMITTER_EMAIL": "noreply@github.com"}
        parents = [word for parent in joined.parents for word in ("-p", parent)]
        made = await git(
            self.folder, "commit-tree", joined.tree, *parents, stdin=joined.message.encode(), variables={**author, **committer}
        )
        return made.text

    async def move(self, ref: str, new: str, old: str | None = None) -> None:
        """Set a ref; with `old` only if it still is there, else Outrun."""
        try:
            await git(self.folder, "update-ref", ref, new, *([old] if old else []))
        except GitFailed as error:
            raise Outrun(f"{ref} is not at {old} any more") from error

    async def remove(self, ref: str) -> None:
        await git(self.folder, "update-ref", "-d", ref)

    async def between(self, base: str, head: str) -> Sequence[str]:
        """The commits of head that base lacks, newest first."""
        return (await git(self.folder, "rev-list", f"{base}..{head}")).text.split()
