"""What names must look like, and what a server says when one does not."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern for whole names, in words, with examples as messages give them."""

    pattern: str
    words: str
    examples: str

    @property
    def why(self) -> str:
        """The rule in words."""
        return f"{self.words} (e.g. {self.examples}, regex used for validation is '{self.pattern}')"

    def fits(self, name: str) -> bool:
        """Whether a name obeys the rule."""
        return re.fullmatch(self.pattern, name) is not None

    def complaint(self, name: str) -> str:
        """Why a name is refused; empty if it is not."""
        return "" if self.fits(name) else f'Invalid value: "{name}": {self.why}'


LABEL = Rule(
    "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character",
    "'my-name',  or '123-abc'",
)
SERVICE = Rule(
    "[a-z]([-a-z0-9]*[a-z0-9])?",
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    "'my-name',  or 'abc-123'",
)
SUBDOMAIN = Rule(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character",
    "'example.com'",
)
