"""Label selectors as text: Kubernetes' own grammar, and its words for what does not follow it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reconciler_sandbox.apiserver import qualified
from reconciler_sandbox.apiserver.failures import Failure, bad_request

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]

TOKENS = re.compile(r"\s*(===?|!=|[=!<>(),]|[^\s=!<>(),]+|$)")
OPERATORS = ("=", "==", "!=", "<", ">", "in", "notin")
MARKS = frozenset({"=", "==", "!=", "<", ">", "(", ")", ",", "!", ""})
END = ""
UNPARSABLE = "unable to parse requirement: "


def parse(text: str) -> list[Requirement]:
    """What a selector asks of labels. Raises Failure 400."""
    return list(_Parser(list(_tokens(text))).requirements())


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while found := TOKENS.match(text, position):
        position = found.end()
        token = found[1]
        if token == "===":  # the longest operator is two characters long
            yield from ("==", "=")
            continue
        yield token
        if token == END:
            return


@dataclass(slots=True)
class _Parser:
    tokens: list[str]
    position: int = 0

    def _next(self) -> str:
        token = self._peek()
        self.position += 1
        return token

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else END

    def requirements(self) -> Iterator[Requirement]:
        """One after the other, with commas between."""
        if self._peek() == END:
            return
        while True:
            if self._peek() != "!" and self._peek() in MARKS:
                raise bad_request(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
            yield self._requirement()
            token = self._next()
            if token == END:
                return
            if token != ",":
                raise bad_request(f"found '{token}', expected: ',' or 'end of string'")
            if self._peek() != "!" and self._peek() in MARKS:
                raise bad_request(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._next()
        key = self._key()
        if absent or self._peek() in (END, ","):
            return lambda labels: (key in labels) is not absent
        operator = self._next()
        if operator not in OPERATORS:
            raise _unparsable(f"found '{operator}', expected: '=', '!=', '==', 'in', notin'")
        if operator in ("in", "notin"):
            return membership(key, operator == "in", self._values(key))
        return comparison(key, operator, self._value(key))

    def _key(self) -> str:
        key = self._next()
        if key in MARKS:
            raise _unparsable(f"found '{key}', expected: identifier")
        wrong = qualified.name_complaints(key)
        if wrong:
            raise _unparsable(f'<nil>: Invalid value: "{key}": {"; ".join(wrong)}')
        return key

    def _value(self, key: str) -> str:
        if self._peek() in (END, ","):
            return ""
        value = self._next()
        if value in MARKS:
            raise _unparsable(f"found '{value}', expected: identifier")
        return _valid(key, value)

    def _values(self, key: str) -> frozenset[str]:
        opened = self._next()
        if opened != "(":
            raise _unparsable(f"found '{opened}' expected: '('")
        values = {""} if self._peek() in (")", ",") else set()
        while self._peek() != ")":
            token = self._next()
            if token == ",":
                if self._peek() in (",", ")"):
                    values.add("")
            elif token in MARKS:
                raise _unparsable(f"found '{token}', expected: ',' or ')'")
            else:
                values.add(_valid(key, token))
        self._next()
        return frozenset(values)


def _valid(key: str, value: str) -> str:
    wrong = qualified.value_complaints(value)
    if wrong:
        raise _unparsable(f'values[0][{key}]: Invalid value: "{value}": {"; ".join(wrong)}')
    return value


def _unparsable(why: str) -> Failure:
    return bad_request(UNPARSABLE + why)


def membership(key: str, wanted: bool, values: frozenset[str]) -> Requirement:
    """One of some values, or none of them; an absent label is none of them."""
    return lambda labels: (labels.get(key) in values) is wanted


def comparison(key: str, operator: str, value: str) -> Requirement:
    """Equal, different (or absent), or a greater or smaller number."""
    if operator in (">", "<"):
        if not value.isdigit():
            raise _unparsable(f"values[0]: Invalid value: {json.dumps(value)}: for 'Gt', 'Lt' operators, the value must be an integer")
        limit, sign = int(value), 1 if operator == ">" else -1
        return lambda labels: labels.get(key, "").isdigit() and (int(labels[key]) - limit) * sign > 0
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value
