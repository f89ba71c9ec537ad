"""What is wrong with one field of an object a person wrote, in the words of Kubernetes field errors (contract 12.1)."""

from dataclasses import dataclass

from reconciler.kernel.errors import Terminal


@dataclass(frozen=True, slots=True)
class Problem:
    """A rejected field: its path and everything that follows the path in the message.

    `passing` is true when another object may mend it (a missing Service), so that looking again makes sense.
    """

    field: str
    detail: str
    passing: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}" if self.field else self.detail


class InvalidField(Terminal):
    """Raised while parsing: the manifest cannot be read as what it claims to be."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def invalid(field: str, value: object, detail: str, *, passing: bool = False) -> Problem:
    """A value that breaks a rule, quoted as Kubernetes quotes it (text in quotes, numbers bare)."""
    return Problem(field, f"Invalid value: {_quoted(value)}: {detail}", passing)


def required(field: str, detail: str) -> Problem:
    """A field that is missing."""
    return Problem(field, f"Required value: {detail}")


def unsupported(field: str, what: str) -> Problem:
    """A field of the reference that this controller does not serve yet: refused, never ignored."""
    return Problem(field, f"Forbidden: {what} is not supported yet")


def _quoted(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)
