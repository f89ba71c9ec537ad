"""Git's objects in memory, under their real names: blobs, trees and commits with the ids that git itself would give them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

REGULAR = "100644"
Files = Mapping[bytes, tuple[str, str]]
"""By name from the root: mode and blob."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitText:
    """One commit: what it holds, what it comes after, who made it when (as git writes it), and its words."""

    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    message: bytes

    @property
    def body(self) -> bytes:
        """The bytes git stores."""
        lines = [
            f"tree {self.tree}",
            *(f"parent {parent}" for parent in self.parents),
            f"author {self.author}",
            f"committer {self.committer}",
        ]
        return "\n".join(lines).encode() + b"\n\n" + self.message


class ObjectStore:
    """Objects by id, and branches. Shared between who has the same objects; `refs` are of one repository alone."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, Mapping[bytes, tuple[str, str]]] = {}
        self.commits: dict[str, CommitText] = {}
        self.refs: dict[str, str] = {}
        self._flat: dict[str, Files] = {}

    def blob(self, content: bytes) -> str:
        """Store a file's bytes."""
        name = name_of("blob", content)
        self.blobs[name] = content
        return name

    def tree(self, files: Files) -> str:
        """Store a folder of files with all its folders."""
        inner: dict[bytes, dict[bytes, tuple[str, str]]] = {}
        entries: dict[bytes, tuple[str, str]] = {}
        for name, entry in files.items():
            head, slash, rest = name.partition(b"/")
            if slash:
                inner.setdefault(head, {})[rest] = entry
            else:
                entries[head] = entry
        entries |= {folder: ("40000", self.tree(below)) for folder, below in inner.items()}
        ordered = sorted(entries.items(), key=lambda item: item[0] + (b"/" if item[1][0] == "40000" else b""))
        made = name_of("tree", b"".join(b"%b %b\0%b" % (mode.encode(), path, bytes.fromhex(oid)) for path, (mode, oid) in ordered))
        self.trees[made] = dict(ordered)
        self._flat[made] = dict(sorted(files.items()))
        return made

    def commit(self, text: CommitText) -> str:
        """Store a commit."""
        name = name_of("commit", text.body)
        self.commits[name] = text
        return name

    def files(self, name: str) -> Files:
        """All files below a tree or a commit, sorted by name."""
        return self._flat[self.commits[name].tree if name in self.commits else name]

    def find(self, name: str) -> str | None:
        """The object that a revision names: an id, a ref, `x^`, `x^{commit}` or `x:path`; None for nothing."""
        if ":" in name:
            root, _, path = name.partition(":")
            return self._below(self.find(root), path.encode())
        if name.endswith("^{commit}"):
            found = self.find(name.removesuffix("^{commit}"))
            return found if found in self.commits else None
        if name.endswith("^"):
            found = self.find(name.removesuffix("^"))
            parents = self.commits[found].parents if found in self.commits else ()
            return parents[0] if parents else None
        return self.refs.get(name) or (name if self.kind(name) else None)

    def kind(self, name: str) -> str:
        """The type of an object; empty when it is not here."""
        kinds = (("commit", self.commits), ("tree", self.trees), ("blob", self.blobs))
        return next((kind for kind, known in kinds if name in known), "")

    def _below(self, root: str | None, path: bytes) -> str | None:
        found = self.commits[root].tree if root in self.commits else root
        for part in path.split(b"/") if path else ():
            found = self.trees.get(found or "", {}).get(part, ("", None))[1]
        return found

    def ancestors(self, start: str) -> Iterator[str]:
        """A commit and everything it was built on, newest first as far as parents tell."""
        seen, waiting = {start}, [start]
        while waiting:
            name = waiting.pop(0)
            if name not in self.commits:
                continue
            yield name
            fresh = [parent for parent in self.commits[name].parents if parent not in seen]
            seen.update(fresh)
            waiting += fresh

    def changed(self, old: str | None, new: str) -> Iterator[tuple[bytes, tuple[str, str], tuple[str, str]]]:
        """The files that differ between two trees or commits: name, before and after."""
        absent = ("000000", "0" * 40)
        before, after = self.files(old) if old else {}, self.files(new)
        for name in sorted({*before, *after}):
            pair = before.get(name, absent), after.get(name, absent)
            if pair[0] != pair[1]:
                yield name, *pair

    def take(self, other: "ObjectStore", commit: str) -> None:
        """Bring a commit and everything it needs here from another repository."""
        for name in other.ancestors(commit):
            if name in self.commits:
                continue
            self.commits[name] = other.commits[name]
            self._take_tree(other, other.commits[name].tree)

    def _take_tree(self, other: "ObjectStore", tree: str) -> None:
        if tree in self.trees:
            return
        self.trees[tree], self._flat[tree] = other.trees[tree], other.files(tree)
        for mode, name in other.trees[tree].values():
            if mode == "40000":
                self._take_tree(other, name)
            else:
                self.blobs[name] = other.blobs[name]


def name_of(kind: str, content: bytes) -> str:
    """The id git gives to an object."""
    return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(content), content), usedforsecurity=False).hexdigest()


def subject_of(message: bytes) -> str:
    """The first paragraph on one line, as `%s`."""
    return " ".join(message.decode(errors="replace").strip().split("\n\n")[0].split("\n"))


def trailers_of(message: bytes) -> Sequence[str]:
    """The lines of the last paragraph when it is made of trailers."""
    paragraphs = message.decode(errors="replace").strip().split("\n\n")
    lines = paragraphs[-1].split("\n") if len(paragraphs) > 1 else []
    return lines if lines and all(":" in line and " " not in line.partition(":")[0] for line in lines) else ()
