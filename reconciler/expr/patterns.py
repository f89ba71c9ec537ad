"""Regular expressions as Go reads them, matched by RE2 in linear time and bounded memory: a hostile pattern never stops the daemon.

Python's own engine backtracks, so a pattern such as `(a+)+$` could run for hours.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

MEMORY = 1 << 20
"""Bytes for one compiled pattern and its automaton; the cache holds `CACHED` of them."""
CACHED = 64
STEPS = 2_000_000
WORDS = 64
"""So many instructions of a program walk a text at the price of one."""
# `\C`, one byte, is the only thing that RE2 reads and Go refuses; `\Q…\E` quotes it.
ESCAPES = re.compile(r"\\Q.*?(?:\\E|\Z)|\\(?P<letter>.)", re.DOTALL)


class InvalidPattern(ValueError):
    """What is wrong with a pattern, in RE2's words."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"error parsing regexp: {problem}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    compiled: Any

    def cost(self, text: str) -> int:
        """The steps that a search of this text takes at most."""
        instructions: int = self.compiled.programsize
        return 1 + len(text) * (1 + instructions // WORDS)

    def search(self, text: str) -> bool:
        """True where it matches anywhere. Raises InvalidPattern where that would take too many steps."""
        if self.cost(text) > STEPS:
            raise InvalidPattern("the pattern takes too many steps on this text")
        return bool(self.compiled.search(_utf8(text)))


@lru_cache(maxsize=CACHED)
def compile_pattern(pattern: str) -> Pattern:
    """The pattern ready to search. Raises InvalidPattern for what Go refuses, and for what is too large."""
    if any(found["letter"] == "C" for found in ESCAPES.finditer(pattern)):
        raise InvalidPattern("invalid escape sequence: \\C")
    try:
        return Pattern(re2.compile(_utf8(pattern), _options()))
    except re2.error as error:
        (words,) = error.args
        raise InvalidPattern(words.decode(errors="replace") if isinstance(words, bytes) else str(words)) from error


def _options() -> Any:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.never_capture = True
    return options


def _utf8(text: str) -> bytes:
    """The text as Go holds it: half a surrogate pair, which only JSON can write, is the replacement character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
