"""The condition language of analyses: text to tree (contract 6.9, expr-lang 1.17). Meaning: `evaluate`.

Conditions come from every author of an AnalysisTemplate, so length and depth are bounded here and work is bounded there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

LONGEST = 10_000
DEEPEST = 60

GRAMMAR = r"""
start: body
?body: "let" NAME "=" expr ";" body  -> let
     | expr ";" body                 -> last
     | expr
?expr: pipe "?" expr ":" expr        -> choose
     | pipe "?:" expr                -> elvis
     | if
     | pipe
if: "if" expr "{" body "}" "else" "{" body "}" | "if" expr "{" body "}" "else" if
?pipe: any_of ("|" any_of)*
?any_of: all_of (_OR all_of)*
?all_of: comparison (_AND comparison)*
?comparison: range (COMPARE range)*
?range: total ".." total | total
?total: term (PLUS_MINUS term)*
?term: ("!" | "not") term            -> negate
     | product
?product: signed (TIMES signed)*
?signed: PLUS_MINUS signed           -> sign
       | power
?power: coalesce (_POWER exponent)?
?exponent: PLUS_MINUS exponent       -> sign
         | power
?coalesce: chain ("??" fallback)*
?fallback: PLUS_MINUS fallback       -> sign
         | ("!" | "not") fallback    -> negate
         | chain
?chain: primary step*
step: "." NAME                       -> member
    | "." NAME "(" [arguments] ")"   -> method
    | OPTIONAL NAME                  -> optional_member
    | OPTIONAL "[" expr "]"          -> optional_index
    | "[" expr "]"                   -> index
    | "[" [expr] ":" [expr] "]"      -> slice
?primary: INTEGER                    -> integer
        | DECIMAL                    -> decimal
        | STRING                     -> string
        | "true"                     -> true
        | "false"                    -> false
        | "nil"                      -> nil
        | NAME                       -> name
        | NAME "(" [arguments] ")"   -> call
        | POINTER                    -> pointer
        | "." NAME                   -> field
        | "(" body ")"
        | "[" [items] "]"            -> array
        | "{" [pairs] "}"            -> map
items: expr ("," expr)* ","?
pairs: pair ("," pair)* ","?
pair: NAME ":" expr                  -> named_pair
    | STRING ":" expr                -> string_pair
    | INTEGER ":" expr               -> integer_pair
    | "(" body ")" ":" expr          -> computed_pair
arguments: argument ("," argument)* ","?
?argument: expr | "{" body "}"

_OR: "||" | /or\b/
_AND: "&&" | /and\b/
_POWER: "**" | "^"
COMPARE.2: "==" | "!=" | "<=" | ">=" | "<" | ">" | /(not\s+)?(in|contains|startsWith|endsWith|matches)\b/
PLUS_MINUS: "+" | "-"
TIMES: "*" | "/" | "%"
OPTIONAL: /\?\.(?!\d)/
DECIMAL.3: /(\d[\d_]*)?\.\d[\d_]*([eE][+-]?\d+)?|\d[\d_]*[eE][+-]?\d+/
INTEGER.2: /0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*/
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'|`[^`]*`/s
POINTER: /#\w*/
NAME: /[A-Za-z_$][\w$]*/
COMMENT.9: /\/\/[^\n]*|\/\*(.|\n)*?\*\//
%ignore COMMENT
%ignore /\s+/
"""
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
CODES = {"x": 2, "u": 4, "U": 8}
LEADING = frozenset({"or", "and", "compare", "range", "sum", "product", "power", "coalesce", "chain"})
"""Nodes that begin with their first part."""


class ExpressionError(Exception):
    """A condition that cannot be read or evaluated: the message says why."""


@dataclass(frozen=True, slots=True)
class SyntaxNode:
    """One part of an expression: what it is, its own parts, and the word or value it stands for."""

    kind: str
    parts: tuple["SyntaxNode", ...] = ()
    word: Any = None
    depth: int = field(default=1, compare=False)


NOTHING = SyntaxNode("nothing")


@lru_cache(maxsize=512)
def parse(text: str) -> SyntaxNode:
    """The tree of an expression. Raises ExpressionError for what is no expression, too long or too deep."""
    if len(text) > LONGEST:
        raise ExpressionError(f"expression is longer than {LONGEST} characters")
    try:
        tree: Any = _parser().parse(text)
    except UnexpectedInput as error:
        raise ExpressionError(_unexpected(error)) from error
    except VisitError as error:
        raise error.orig_exc if isinstance(error.orig_exc, ExpressionError) else ExpressionError(str(error.orig_exc)) from error
    return tree  # type: ignore[no-any-return]


@cache
def _parser() -> Lark:
    """Built at the first condition; no tree of the parser's own is kept, so nothing recurses over the text."""
    return Lark(GRAMMAR, parser="lalr", transformer=_TreeBuilder(), maybe_placeholders=True)


def _unexpected(error: UnexpectedInput) -> str:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return "unexpected token EOF"
    said = f'"{token}"' if token is not None else f'"{getattr(error, "char", "")}"'
    return f"unexpected token {said} ({error.line}:{error.column})"


def _node(kind: str, *parts: SyntaxNode, word: Any = None) -> SyntaxNode:
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > DEEPEST:
        raise ExpressionError(f"expression nests deeper than {DEEPEST} levels")
    return SyntaxNode(kind, parts, word, depth)


def _plain(kind: str) -> Callable[..., SyntaxNode]:
    return lambda self, *parts: _node(kind, *(NOTHING if part is None else part for part in parts))


def _chained(kind: str) -> Callable[..., SyntaxNode]:
    """Operands with the operators between them."""

    def build(self: object, *parts: Any) -> SyntaxNode:
        operators = tuple(" ".join(str(part).split()) for part in parts[1::2])
        return _node(kind, *parts[0::2], word=operators)

    return build


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, SyntaxNode]):
    """Builds nodes while the parser reduces."""

    choose, elvis, last, negate = _plain("choose"), _plain("elvis"), _plain("last"), _plain("negate")
    any_of, all_of, range, power, coalesce = _plain("or"), _plain("and"), _plain("range"), _plain("power"), _plain("coalesce")
    comparison, total, product = _chained("compare"), _chained("sum"), _chained("product")
    index, slice, items, pairs = _plain("index"), _plain("slice"), _plain("items"), _plain("pairs")
    computed_pair, chain = _plain("pair"), _plain("chain")
    arguments = _plain("arguments")

    def start(self, body: SyntaxNode) -> SyntaxNode:
        return body

    def if_(self, condition: SyntaxNode, then: SyntaxNode, otherwise: SyntaxNode) -> SyntaxNode:
        return _node("choose", condition, then, otherwise)

    def let(self, name: Token, value: SyntaxNode, body: SyntaxNode) -> SyntaxNode:
        return _node("let", value, body, word=str(name))

    def sign(self, sign: Token, operand: SyntaxNode) -> SyntaxNode:
        return _node("sign", operand, word=str(sign))

    def call(self, name: Token, arguments: SyntaxNode | None) -> SyntaxNode:
        return _node("call", *(arguments.parts if arguments else ()), word=str(name))

    def pipe(self, given: SyntaxNode, *stages: SyntaxNode) -> SyntaxNode:
        for stage in stages:
            given = _piped(given, stage)
        return given

    def method(self, name: Token, arguments: SyntaxNode | None) -> SyntaxNode:
        return _node("method", *(arguments.parts if arguments else ()), word=str(name))

    def member(self, name: Token) -> SyntaxNode:
        return _node("member", word=str(name))

    def optional_member(self, _: Token, name: Token) -> SyntaxNode:
        return _node("optional member", word=str(name))

    def optional_index(self, _: Token, key: SyntaxNode) -> SyntaxNode:
        return _node("optional index", key)

    def array(self, items: SyntaxNode | None) -> SyntaxNode:
        return _node("array", *(items.parts if items else ()))

    def map(self, pairs: SyntaxNode | None) -> SyntaxNode:
        return _node("map", *(pairs.parts if pairs else ()))

    def named_pair(self, key: Token, value: SyntaxNode) -> SyntaxNode:
        return _node("pair", _node("constant", word=str(key)), value)

    def string_pair(self, key: Token, value: SyntaxNode) -> SyntaxNode:
        return _node("pair", self.string(key), value)

    def integer_pair(self, key: Token, value: SyntaxNode) -> SyntaxNode:
        return _node("pair", _node("constant", word=str(key)), value)

    def integer(self, text: Token) -> SyntaxNode:
        return _node("constant", word=_integer(text))

    def decimal(self, text: Token) -> SyntaxNode:
        return _node("constant", word=float(text.replace("_", "")))

    def string(self, text: Token) -> SyntaxNode:
        return _node("constant", word=_string(str(text)))

    def true(self) -> SyntaxNode:
        return _node("constant", word=True)

    def false(self) -> SyntaxNode:
        return _node("constant", word=False)

    def nil(self) -> SyntaxNode:
        return _node("constant")

    def name(self, name: Token) -> SyntaxNode:
        return _node("name", word=str(name))

    def pointer(self, text: Token) -> SyntaxNode:
        return _node("pointer", word=str(text)[1:])

    def field(self, name: Token) -> SyntaxNode:
        return _node("chain", _node("pointer", word=""), _node("member", word=str(name)))


setattr(_TreeBuilder, "if", _TreeBuilder.if_)


def _piped(given: SyntaxNode, stage: SyntaxNode) -> SyntaxNode:
    """`a | f(b) > c` means `f(a, b) > c`: what is given becomes the first argument of the call that the stage begins with."""
    if stage.kind == "call":
        return _node("call", given, *stage.parts, word=stage.word)
    if stage.kind not in LEADING:
        raise ExpressionError("a function call must follow |")
    return _node(stage.kind, _piped(given, stage.parts[0]), *stage.parts[1:], word=stage.word)


def _integer(text: Token) -> int:
    digits = text.replace("_", "")
    try:
        value = int(digits, 0 if digits[1:2].isalpha() else 10)
    except ValueError as error:
        raise ExpressionError(f"invalid integer {text}") from error
    if value >= 2**63:
        raise ExpressionError(f"integer literal {text} is out of range")
    return value


def _string(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    letters, place, end = [], 1, len(text) - 1
    while place < end:
        letter, place = (text[place], place + 1) if text[place] != "\\" else _escape(text, place + 1)
        letters.append(letter)
    return "".join(letters)


def _escape(text: str, place: int) -> tuple[str, int]:
    """The letter an escape stands for and where the text goes on."""
    letter = text[place]
    if letter in CODES:
        digits = text[place + 1 : place + 1 + CODES[letter]]
        try:
            return chr(int(digits, 16)), place + 1 + CODES[letter]
        except (ValueError, OverflowError) as error:
            raise ExpressionError(f"invalid escape \\{letter}{digits}") from error
    if letter in ESCAPES:
        return ESCAPES[letter], place + 1
    if letter in "\\'\"`":
        return letter, place + 1
    raise ExpressionError(f"unknown escape \\{letter}")
