"""Cuts a shell script into operators and words; what it does not know is named in `Unsupported`."""

import re
from collections.abc import Callable

from reconciler_sandbox.node.syntax import Part, Script, Silence, Substitution, Text, Token, Unsupported, Variable, Word

OPERATORS = ("&&", "||", ";;", ";", "\n", "|", "&", "(", ")")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REDIRECT = re.compile(r"(?:&|[12])?>{1,2}\s*(/dev/null|&[12])(?=[\s;&|)]|$)")
LITERAL_ESCAPES = '$`"\\'


class Lexer:
    """One pass over a script's text; `parse` reads the scripts inside $(...)."""

    def __init__(self, text: str, parse: Callable[[str], Script]) -> None:
        self._text = text.replace("\\\n", "")
        self._parse = parse
        self._at = 0

    def tokens(self) -> list[Token]:
        """All tokens in order."""
        found: list[Token] = []
        while self._skip_blanks():
            found.extend(self._token())
        return found

    def _skip_blanks(self) -> bool:
        while self._at < len(self._text) and self._text[self._at] in " \t\r":
            self._at += 1
        if self._text.startswith("#", self._at):
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
        return self._at < len(self._text)

    def _token(self) -> list[Token]:
        redirect = REDIRECT.match(self._text, self._at)
        if redirect is not None:
            self._at = redirect.end()
            drops_output = redirect[1] == "/dev/null" and not redirect[0].startswith("2")
            return [Silence()] if drops_output else []
        if self._text[self._at] in "<>":
            raise Unsupported(f"the redirection {self._text[self._at :].split(maxsplit=2)[:2]}")
        for operator in OPERATORS:
            if self._text.startswith(operator, self._at):
                self._at += len(operator)
                return [operator]
        return [self._word()]

    def _word(self) -> Word:
        parts: list[Part] = []
        while self._at < len(self._text) and self._text[self._at] not in " \t\r\n;&|()<>":
            parts.extend(self._part())
        return tuple(parts)

    def _part(self) -> list[Part]:
        char = self._text[self._at]
        if char == "'":
            end = self._closing("'")
            text, self._at = self._text[self._at + 1 : end], end + 1
            return [Text(text, quoted=True)]
        if char == '"':
            return self._double_quoted()
        if char == "\\":
            self._at += 2
            return [Text(self._text[self._at - 1 : self._at], quoted=True)]
        if char in "$`":
            return [self._expansion(quoted=False)]
        self._at += 1
        return [Text(char, quoted=False)]

    def _double_quoted(self) -> list[Part]:
        self._at += 1
        parts: list[Part] = [Text("", quoted=True)]
        while not self._text.startswith('"', self._at):
            if self._at >= len(self._text):
                raise Unsupported('a " that is never closed')
            if self._text[self._at] in "$`":
                parts.append(self._expansion(quoted=True))
                continue
            escaped = self._text[self._at] == "\\" and self._text[self._at + 1 : self._at + 2] in LITERAL_ESCAPES
            self._at += 2 if escaped else 1
            parts.append(Text(self._text[self._at - 1], quoted=True))
        self._at += 1
        return parts

    def _expansion(self, *, quoted: bool) -> Part:
        rest = self._text[self._at :]
        if rest.startswith("$(("):
            raise Unsupported("arithmetic $((...))")
        if rest.startswith("`"):
            raise Unsupported("backquotes; write $(...)")
        if rest.startswith("$("):
            end = self._closing_parenthesis()
            inner, self._at = self._text[self._at + 2 : end], end + 1
            return Substitution(self._parse(inner), quoted)
        if rest.startswith("${"):
            return self._braced(rest, quoted=quoted)
        name = NAME.match(rest, 1)
        if name is None and rest[1:2] != "?":
            return self._dollar(rest, quoted=quoted)
        text = name[0] if name is not None else "?"
        self._at += 1 + len(text)
        return Variable(text, "", quoted)

    def _dollar(self, rest: str, *, quoted: bool) -> Part:
        if rest[1:2] in {"@", "*", "#", "$", "!", "-"} or rest[1:2].isdigit():
            raise Unsupported(f"the parameter {rest[:2]}")
        self._at += 1
        return Text("$", quoted)

    def _braced(self, rest: str, *, quoted: bool) -> Part:
        found = re.match(r"\$\{([A-Za-z_][A-Za-z0-9_]*|\?)(?::-([^}$`\"']*))?\}", rest)
        if found is None:
            raise Unsupported(f"the expansion {rest.split('}', 1)[0]}}}")
        self._at += found.end()
        return Variable(found[1], found[2] or "", quoted)

    def _closing(self, mark: str) -> int:
        end = self._text.find(mark, self._at + 1)
        if end < 0:
            raise Unsupported(f"a {mark} that is never closed")
        return end

    def _closing_parenthesis(self) -> int:
        depth, quote = 0, ""
        for index in range(self._at + 1, len(self._text)):
            char = self._text[index]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            else:
                depth += {"(": 1, ")": -1}.get(char, 0)
            if depth == 0:
                return index
        raise Unsupported("a $( that is never closed")
