"""A Git server in memory: branches that only go forward, commits of people, refusals and lost answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.releases.announce.message import TRAILER
from reconciler_sandbox.rehearsal.virtual.objects import REGULAR, CommitText, ObjectStore, trailers_of

HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What the server says to one push: git's own flag and summary, and the words of its hooks."""

    flag: str
    summary: str
    said: str = ""

    @property
    def taken(self) -> bool:
        """True when the branch stands there now."""
        return self.flag in (" ", "*", "=")


Judge = Callable[[str, str], PushAnswer | None]
"""Asked with the ref and the commit of a push that is a fast-forward: an answer is a refusal."""


def everybody_may(ref: str, commit: str) -> PushAnswer | None:
    """No push is refused."""
    return None


@dataclass(slots=True)
class MemoryRemote:
    """One repository. `away` is why nothing answers; `loses_answers` counts the pushes that are taken and not answered."""

    store: ObjectStore = field(default_factory=ObjectStore)
    judge: Judge = everybody_may
    away: str = ""
    loses_answers: int = 0
    before_push: Callable[[], None] | None = None
    """Called once as the next push arrives: somebody else may be faster."""
    pushes: int = 0
    """How many have arrived."""

    def head(self, branch: str = "main") -> str | None:
        """Where a branch stands."""
        return self.store.refs.get(HEADS + branch)

    def read(self, name: str, branch: str = "main") -> bytes | None:
        """A file at the tip of a branch."""
        found = self.store.find(f"{HEADS}{branch}:{name}")
        return self.store.blobs.get(found) if found else None

    def commit(self, files: Mapping[str, bytes | None], message: str, *, at: int, person: str = "Ann <ann@example.com>") -> str:
        """A person's commit on the tip of main: new contents by name, None removes a file."""
        return self._commit(files, message, f"{person} {at} +0000", self.head())

    def rewrite(self, files: Mapping[str, bytes | None], message: str, *, at: int, person: str = "Ann <ann@example.com>") -> str:
        """A person replaces the newest commit of main by another one, by force."""
        head = self.head()
        parents = self.store.commits[head].parents if head else ()
        return self._commit(files, message, f"{person} {at} +0000", parents[0] if parents else None)

    def _commit(self, files: Mapping[str, bytes | None], message: str, signature: str, parent: str | None) -> str:
        entries = dict(self.store.files(parent)) if parent else {}
        for name, content in files.items():
            if content is None:
                entries.pop(name.encode(), None)
            else:
                entries[name.encode()] = (REGULAR, self.store.blob(content))
        text = CommitText(
            tree=self.store.tree(entries),
            parents=(parent,) if parent else (),
            author=signature,
            committer=signature,
            message=message.encode(),
        )
        made = self.store.refs[HEADS + "main"] = self.store.commit(text)
        return made

    def receive(self, other: ObjectStore, commit: str, ref: str) -> PushAnswer:
        """A push. Only what was built on the branch is taken."""
        self.pushes += 1
        if self.before_push is not None:
            faster, self.before_push = self.before_push, None
            faster()
        known = self.store.refs.get(ref)
        if known == commit:
            return PushAnswer("=", "[up to date]")
        if known is not None and known not in set(other.ancestors(commit)):
            return PushAnswer("!", "[rejected] (fetch first)")
        refusal = self.judge(ref, commit)
        if refusal is not None:
            return refusal
        self.store.take(other, commit)
        self.store.refs[ref] = commit
        return PushAnswer(" ", f"{known[:7]}..{commit[:7]}") if known else PushAnswer("*", "[new branch]")

    def history(self, branch: str = "main") -> list[tuple[str, CommitText]]:
        """The commits of a branch, newest first."""
        head = self.head(branch)
        return [(name, self.store.commits[name]) for name in self.store.ancestors(head)] if head else []

    def restoring(self) -> list[tuple[str, CommitText]]:
        """The commits by which a release was taken back, oldest first: they carry our trailer."""
        return [
            (name, text) for name, text in reversed(self.history()) if any(t.startswith(f"{TRAILER}: ") for t in trailers_of(text.message))
        ]

    def proposals(self) -> list[tuple[str, CommitText]]:
        """The newest commit of each branch of a proposal."""
        tips = [tip for ref, tip in sorted(self.store.refs.items()) if ref.startswith(f"{HEADS}reconciler/")]
        return [(tip, self.store.commits[tip]) for tip in tips]
