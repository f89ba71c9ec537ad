"""Parses the small part of the POSIX shell that check containers use into a tree; everything else is named in `Unsupported`.

Supported: simple commands, assignments, `;` newline `&&` `||` `!`, for, while, until, if, `$VAR` `${VAR}` `${VAR:-x}` `$?` `$(...)`,
quotes, comments, and output redirected to /dev/null or to the other stream.
"""

from reconciler_sandbox.node.lexer import NAME, Lexer
from reconciler_sandbox.node.syntax import For, If, Node, Script, Silence, Simple, Step, Text, Token, Unsupported, While, Word

RESERVED = {"case", "select", "function", "{", "}", "[["}


def parse(text: str) -> Script:
    """The tree of a script. Raises Unsupported with the part that is not understood."""
    parser = _Parser(Lexer(text, parse).tokens())
    script = parser.script(())
    if parser.peek() is not None:
        raise Unsupported(f"shell syntax near {parser.peek()!r}")
    return script


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> str | None:
        """The next token as text: an operator, an unquoted word, or a placeholder that is never a keyword."""
        if self._at >= len(self._tokens):
            return None
        token = self._tokens[self._at]
        if isinstance(token, str):
            return token
        return plain(token) if isinstance(token, tuple) else ">"

    def script(self, ends: tuple[str, ...]) -> Script:
        steps: list[Step] = []
        connector = ";"
        self._skip_separators()
        while self.peek() is not None and self.peek() not in ends and self.peek() != ")":
            negated = self._accept("!")
            steps.append(Step(connector, negated, self._node()))
            connector = self._connector(ends)
        return Script(tuple(steps))

    def _connector(self, ends: tuple[str, ...]) -> str:
        following = self.peek()
        if following in {"&&", "||"}:
            self._at += 1
            self._skip_newlines()
            return str(following)
        if following in {";", "\n"}:
            self._skip_separators()
        elif following is not None and following not in ends and following != ")":
            raise Unsupported({"|": "a pipe", "&": "a background command"}.get(following, f"shell syntax near {following!r}"))
        return ";"

    def _node(self) -> Node:
        keyword = self.peek()
        if keyword == "for":
            return self._for()
        if keyword in {"while", "until"}:
            self._at += 1
            condition = self._block(("do",))
            return While(condition, self._block(("done",)), wanted=keyword == "while")
        if keyword == "if":
            return self._if()
        if keyword in RESERVED or keyword == "(":
            raise Unsupported(f"shell syntax {keyword!r}")
        return self._simple()

    def _for(self) -> Node:
        self._at += 1
        name = self.peek() or ""
        self._at += 1
        if NAME.fullmatch(name) is None or not self._accept("in"):
            raise Unsupported("a for loop without `in`")
        words = []
        while self._at < len(self._tokens) and isinstance(token := self._tokens[self._at], tuple):
            words.append(token)
            self._at += 1
        self._skip_separators()
        self._expect("do")
        return For(name, tuple(words), self._block(("done",)))

    def _if(self) -> Node:
        self._at += 1
        branches = [(self._block(("then",)), self._branch())]
        while self._accept("elif"):
            branches.append((self._block(("then",)), self._branch()))
        otherwise = self._branch() if self._accept("else") else Script()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _branch(self) -> Script:
        return self.script(("elif", "else", "fi"))

    def _block(self, ends: tuple[str, ...]) -> Script:
        script = self.script(ends)
        self._expect(ends[0])
        return script

    def _simple(self) -> Node:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        silent = False
        while self._at < len(self._tokens) and not isinstance(token := self._tokens[self._at], str):
            self._at += 1
            if isinstance(token, Silence):
                silent = True
                continue
            assigned = _assignment(token) if not words else None
            if assigned is not None:
                assignments.append(assigned)
            else:
                words.append(token)
        if not words and not assignments:
            raise Unsupported(f"shell syntax near {self.peek()!r}")
        return Simple(tuple(assignments), tuple(words), silent)

    def _accept(self, keyword: str) -> bool:
        if self.peek() != keyword:
            return False
        self._at += 1
        return True

    def _expect(self, keyword: str) -> None:
        if not self._accept(keyword):
            raise Unsupported(f"shell syntax: {keyword!r} is missing")

    def _skip_separators(self) -> None:
        while self.peek() in {";", "\n"}:
            self._at += 1

    def _skip_newlines(self) -> None:
        while self.peek() == "\n":
            self._at += 1


def plain(word: Word) -> str:
    """A word as text if it is wholly unquoted and literal, else something that is no keyword."""
    if all(isinstance(part, Text) and not part.quoted for part in word):
        return "".join(part.text for part in word if isinstance(part, Text))
    return '"'


def _assignment(word: Word) -> tuple[str, Word] | None:
    letters: list[str] = []
    for index, part in enumerate(word):
        if not isinstance(part, Text) or part.quoted:
            return None
        if part.text == "=":
            name = "".join(letters)
            return (name, word[index + 1 :]) if NAME.fullmatch(name) else None
        letters.append(part.text)
    return None
