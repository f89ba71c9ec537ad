"""Reads RE2's syntax into a tree (RE2, "Syntax"): what RE2 does not have — look-around, references back — is refused."""

import re
from dataclasses import dataclass, replace

DEPTH = 100
LARGEST_REPEAT = 1000
LAST = 0x10FFFF
DIGIT = ((48, 57),)
SPACE = ((9, 10), (12, 13), (32, 32))
WORD = ((48, 57), (65, 90), (95, 95), (97, 122))
CLASSES = {"d": DIGIT, "s": SPACE, "w": WORD}
NAMED = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "digit": DIGIT,
    "lower": ((97, 122),),
    "upper": ((65, 90),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
CONTROL = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
ASSERTIONS = {"A": "start", "z": "end", "b": "b", "B": "B"}
COUNTED = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
HEX = re.compile(r"x(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2}))")
GROUP = re.compile(r"\?(?:P?<\w+>|(?P<flags>[imsU-]*)(?P<end>[:)]))", re.ASCII)

Ranges = tuple[tuple[int, int], ...]


class InvalidPattern(ValueError):
    """What is wrong with a pattern, in RE2's words where it has some."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"error parsing regexp: {problem}")


@dataclass(frozen=True, slots=True)
class Letters:
    """One letter out of these ranges, or out of all others."""

    ranges: Ranges
    negated: bool = False
    any_case: bool = False

    def contain(self, letter: str) -> bool:
        forms = {letter, letter.lower(), letter.upper()} if self.any_case else {letter}
        inside = any(low <= ord(form) <= high for form in forms if len(form) == 1 for low, high in self.ranges)
        return inside is not self.negated


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place in the text: start, end, line start, line end, b or B."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, at least and at most so many times; `most` None means without end."""

    part: "Node"
    least: int
    most: int | None


Node = Letters | Assertion | Sequence | Alternatives | Repeat


@dataclass(frozen=True, slots=True)
class Flags:
    any_case: bool = False
    lines: bool = False
    dot_all: bool = False


def read(pattern: str) -> Node:
    """The tree of a pattern. Raises InvalidPattern."""
    reader = Reader(pattern)
    node = reader.alternatives(Flags(), 0)
    if reader.rest:
        raise InvalidPattern(f"unexpected ): `{pattern}`")
    return node


class Reader:
    """Reads one pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._place = 0

    @property
    def rest(self) -> str:
        return self._text[self._place : self._place + 1]

    def alternatives(self, flags: Flags, depth: int) -> Node:
        if depth > DEPTH:
            raise InvalidPattern("expression nests too deeply")
        parts: list[Node] = []
        current: list[Node] = []
        while self.rest and self.rest != ")":
            if self._eat("|"):
                parts.append(Sequence(tuple(current)))
                current = []
            elif (changed := self._flags(flags)) is not None:
                flags = changed
            else:
                current.append(self._repeated(self._atom(flags, depth)))
        parts.append(Sequence(tuple(current)))
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def _flags(self, flags: Flags) -> Flags | None:
        """New flags for the rest of the group: `(?i)`."""
        found = GROUP.match(self._text, self._place + 1) if self.rest == "(" else None
        if found is None or found["end"] != ")":
            return None
        self._place = found.end()
        return _changed(flags, found["flags"])

    def _atom(self, flags: Flags, depth: int) -> Node:
        letter = self._next()
        match letter:
            case "(":
                return self._group(flags, depth)
            case "[":
                return self._set(flags)
            case ".":
                return Letters(() if flags.dot_all else ((10, 10),), negated=True)
            case "^":
                return Assertion("line start" if flags.lines else "start")
            case "$":
                return Assertion("line end" if flags.lines else "end")
            case "\\":
                return self._escape(flags)
            case "*" | "+" | "?":
                raise InvalidPattern(f"missing argument to repetition operator: `{letter}`")
            case _:
                return _literal(ord(letter), flags)

    def _group(self, flags: Flags, depth: int) -> Node:
        if self.rest == "?":
            found = GROUP.match(self._text, self._place)
            if found is None:
                raise InvalidPattern(f"invalid or unsupported Perl syntax: `({self._text[self._place : self._place + 2]}`")
            self._place = found.end()
            flags = _changed(flags, found["flags"] or "")
        node = self.alternatives(flags, depth + 1)
        if not self._eat(")"):
            raise InvalidPattern(f"missing closing ): `{self._text}`")
        return node

    def _repeated(self, node: Node) -> Node:
        times = self._times()
        if times is None:
            return node
        self._eat("?")
        if self._times() is not None:
            raise InvalidPattern("invalid nested repetition operator")
        return Repeat(node, *times)

    def _times(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if self.rest in simple:
            return simple[self._next()]
        found = COUNTED.match(self._text, self._place)
        if found is None:
            return None
        self._place = found.end()
        least = int(found[1][:6])
        most = least if found[2] is None else int(found[3][:6]) if found[3] else None
        if max(least, most or 0) > LARGEST_REPEAT or (most is not None and most < least):
            raise InvalidPattern(f"invalid repeat count: `{found[0]}`")
        return least, most

    def _escape(self, flags: Flags) -> Node:
        letter = self.rest
        if letter in ASSERTIONS and letter:
            self._next()
            return Assertion(ASSERTIONS[letter])
        if letter == "Q":
            return self._quoted(flags)
        if letter and letter.lower() in CLASSES:
            return Letters(CLASSES[self._next().lower()], negated=letter.isupper())
        return _literal(self._code(), flags)

    def _quoted(self, flags: Flags) -> Node:
        self._next()
        end = self._text.find("\\E", self._place)
        text = self._text[self._place : end if end >= 0 else len(self._text)]
        self._place += len(text) + (2 if end >= 0 else 0)
        return Sequence(tuple(_literal(ord(letter), flags) for letter in text))

    def _code(self) -> int:
        """The letter an escape stands for."""
        found = HEX.match(self._text, self._place)
        if found:
            self._place = found.end()
            return min(int(found[1] or found[2], 16), LAST)
        letter = self._next("trailing backslash at end of expression: ``")
        if letter in CONTROL:
            return CONTROL[letter]
        if letter.isalnum():
            raise InvalidPattern(f"invalid escape sequence: `\\{letter}`")
        return ord(letter)

    def _set(self, flags: Flags) -> Node:
        negated, ranges = self._eat("^"), list[tuple[int, int]]()
        first = True
        while first or self.rest != "]":
            ranges += self._members()
            first = False
        self._next()
        return Letters(tuple(ranges), negated, flags.any_case)

    def _members(self) -> Ranges:
        named = re.compile(r"\[:(\^?)(\w+):\]").match(self._text, self._place)
        if named and named[2] in NAMED:
            self._place = named.end()
            return _inverted(NAMED[named[2]]) if named[1] else NAMED[named[2]]
        if self.rest == "\\" and self._text[self._place + 1 : self._place + 2].lower() in tuple(CLASSES):
            self._next()
            letter = self._next()
            return CLASSES[letter.lower()] if letter.islower() else _inverted(CLASSES[letter.lower()])
        low = self._member()
        if self.rest != "-" or self._text[self._place + 1 : self._place + 2] in ("]", ""):
            return ((low, low),)
        self._next()
        high = self._member()
        if high < low:
            raise InvalidPattern(f"invalid character class range: `{chr(low)}-{chr(high)}`")
        return ((low, high),)

    def _member(self) -> int:
        letter = self._next("missing closing ]")
        return self._code() if letter == "\\" else ord(letter)

    def _eat(self, letter: str) -> bool:
        found = self.rest == letter
        self._place += found
        return found

    def _next(self, otherwise: str = "unexpected end") -> str:
        letter = self.rest
        if not letter:
            raise InvalidPattern(otherwise)
        self._place += 1
        return letter


def _literal(code: int, flags: Flags) -> Letters:
    return Letters(((code, code),), any_case=flags.any_case)


def _inverted(ranges: Ranges) -> Ranges:
    edges = [-1, *(edge for pair in sorted(ranges) for edge in pair), LAST + 1]
    return tuple((edges[i] + 1, edges[i + 1] - 1) for i in range(0, len(edges), 2) if edges[i] + 1 <= edges[i + 1] - 1)


def _changed(flags: Flags, text: str) -> Flags:
    names = {"i": "any_case", "m": "lines", "s": "dot_all"}
    on, _, off = text.partition("-")
    flags = replace(flags, **{names[letter]: True for letter in on if letter in names})
    return replace(flags, **{names[letter]: False for letter in off if letter in names})
