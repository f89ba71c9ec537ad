"""The tree of the small shell that check containers use; `script` parses it, `shell` runs it."""

from dataclasses import dataclass, field
from typing import Union


class Unsupported(Exception):
    """Something the sandbox cannot interpret, by name."""


@dataclass(frozen=True, slots=True)
class Text:
    """Literal characters; quoted ones are never split."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of a variable, or `fallback` when it is unset or empty."""

    name: str
    fallback: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Substitution:
    """The output of a script."""

    script: "Script"
    quoted: bool


Part = Text | Variable | Substitution
Word = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its words; `silent` drops what it prints."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    silent: bool


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words; do body; done`."""

    name: str
    words: tuple[Word, ...]
    body: "Script"


@dataclass(frozen=True, slots=True)
class While:
    """`while` repeats as long as the condition ends with 0 (`wanted` true), `until` as long as it does not."""

    condition: "Script"
    body: "Script"
    wanted: bool


@dataclass(frozen=True, slots=True)
class If:
    """Branches of (condition, body), and what happens otherwise."""

    branches: tuple[tuple["Script", "Script"], ...]
    otherwise: "Script"


Node = Union[Simple, For, While, If]  # noqa: UP007  # forward references inside the dataclasses need a value at run time


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a list: `connector` is how it depends on the one before (`;`, `&&` or `||`), `negated` is `!`."""

    connector: str
    negated: bool
    node: Node


@dataclass(frozen=True, slots=True)
class Script:
    """A list of commands."""

    steps: tuple[Step, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Silence:
    """A redirection that drops standard output."""


Token = str | Word | Silence  # operators are plain strings
