"""Where a value comes from: snapshots of a repository, places in files, fields that moved and who moved them."""

from dataclasses import dataclass

from reconciler.git.objects import CommitFacts, one_line
from reconciler.kernel.struct import Moment, Struct
from reconciler.kernel.text import shortened
from reconciler.yamledit.nodes import FieldPath

LONGEST_NAME, LONGEST_SUBJECT = 200, 500
HIDDEN = "(hidden)"
"""What is shown of a value that may be secret."""


class Commit(Struct, frozen=True, kw_only=True):
    sha: str
    author: str = ""
    subject: str = ""
    time: Moment | None = None


class Pull(Struct, frozen=True, kw_only=True):
    number: int
    url: str = ""
    title: str = ""


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
        return f"{one_line(self.file)}:{self.line} {self.field}"


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


def commit_of(facts: CommitFacts) -> Commit:
    """What history says of a commit, in the words of a Release: an object of a cluster cannot hold a message of any length."""
    author = f"{shortened(facts.author_name, LONGEST_NAME)} <{shortened(facts.author_email, LONGEST_NAME)}>"
    return Commit(sha=facts.oid, author=author, subject=shortened(facts.subject, LONGEST_SUBJECT), time=facts.time)
