"""Where a value comes from: snapshots of a repository, places in files, fields that moved and who moved them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.release import Commit, Pull
from reconciler.model.revision import Image

Oid = str
"""The full hexadecimal name of a Git object."""

FieldPath = tuple[str | int, ...]
"""Mapping keys and list positions from the root of a document."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the source that keeps a file from being used: where, what is wrong, what to do. `line` starts at 1; 0 is unknown."""

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files under one path at one commit. File names are relative to the root of the repository.

    `listed` counts all files of the path, those that nobody reads included.
    """

    commit: Oid
    tree_id: Oid
    files: Mapping[str, bytes]
    problems: tuple[Problem, ...] = ()
    listed: int = 0


@dataclass(frozen=True, slots=True)
class FieldLocation:
    """One value in a file: `document` counts from 0, `line` and `column` from 1."""

    file: str
    document: int
    path: FieldPath
    line: int
    column: int

    @property
    def field(self) -> str:
        """The path as people write it, e.g. `spec.template.spec.containers[0].image`."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.field}"


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One value that differs between two snapshots: its raw text and place in both, None where it is absent."""

    old: str | None
    new: str | None
    before: FieldLocation | None
    after: FieldLocation | None

    @property
    def location(self) -> FieldLocation:
        """Where the value is now, or where it was when it is gone."""
        place = self.after or self.before
        assert place is not None, "a changed field is in one of the two snapshots"
        return place

    @property
    def field(self) -> str:
        return self.location.field


@dataclass(frozen=True, slots=True)
class WorkloadId:
    """One workload as manifests name it. `namespace` is empty where the manifest leaves it out."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class ImageField:
    """The image of one container: its raw text, its place, and what it names (None when it is no image reference)."""

    container: str
    text: str
    location: FieldLocation | None
    image: Image | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """What history says about one commit. `files` are the changed paths it was asked about."""

    oid: Oid
    author_name: str
    author_email: str
    time: datetime
    subject: str
    trailers: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def commit(self) -> Commit:
        """The same commit in the words of a Release."""
        return Commit(sha=self.oid, author=f"{self.author_name} <{self.author_email}>", subject=self.subject, time=self.time)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which line of which file set a value, in which commit, through which pull request; None where nobody can tell."""

    change: ChangedField
    commit: Commit | None
    pull: Pull | None

    @property
    def file(self) -> str:
        return self.change.location.file

    @property
    def line(self) -> int:
        return self.change.location.line
