"""What Git knows, as frozen data: object names, the files at a commit, what history says of a commit. Pure.

The other modules of this folder read and write Git; these nouns are what they answer with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Oid = str
"""The full hexadecimal name of a Git object."""


class Hides(StrEnum):
    """What may stand in a file that is not used, and so may not be taken for gone."""

    NOTHING = "nothing"
    ITSELF = "itself"
    """What this file, or the files below it, held when they were read last."""
    ANYTHING = "anything"


def one_line(name: str) -> str:
    """A name for people: what would not be seen, or would break a line, is escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """Something in the source that keeps a file from being used: where, what is wrong, what to do. `line` starts at 1; 0 is unknown.

    A `note` is no fault: the file is no manifest and is left alone. `tool` names the program that would have to render the file.
    """

    file: str
    line: int
    message: str
    remedy: str
    hides: Hides = Hides.ANYTHING
    note: bool = False
    tool: str = ""

    def __str__(self) -> str:
        place = f"{one_line(self.file)}:{self.line}" if self.line else one_line(self.file)
        return f"{place}: {self.message}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files under one path at one commit. File names are relative to the root of the repository.

    `listed` counts all files of the path, those that are never read included. `absent` are names that were asked for, inside of the path or
    elsewhere, and are no file there.
    """

    commit: Oid
    tree_id: Oid
    files: Mapping[str, bytes]
    problems: tuple[SourceProblem, ...] = ()
    listed: int = 0
    absent: frozenset[str] = frozenset()


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


@dataclass(frozen=True, slots=True)
class Committer:
    """Who our commits are from, and what each of them carries."""

    name: str = "reconciler"
    email: str = "reconciler@localhost"
    signing_key_file: str = ""
    """A private ssh key without passphrase, by which commits are signed; empty: they are not."""
    sign_off: bool = False
    """True for a `Signed-off-by` trailer (Developer Certificate of Origin)."""
    skip_pipelines: bool = False
    """True for the words by which forges start no pipeline."""
    subject: str = ""
    """The first line of a restoring commit, with words in braces for what it is about; empty: our own."""


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """Whose signature the tip of a branch must bear: files that a person keeps; both empty: any commit is taken."""

    allowed_signers_file: str = ""
    """Public ssh keys and whose they are, as ssh-keygen(1) has them under ALLOWED SIGNERS."""
    keyring_file: str = ""
    """Public OpenPGP keys, armoured as `gpg --armor --export` prints them, or as bytes."""

    def __bool__(self) -> bool:
        return bool(self.allowed_signers_file or self.keyring_file)
