"""Takes secrets out of every text that leaves us: known values in each spelling they are echoed in, and what looks like a credential.

The one mechanism: measurements, refusals of forges, git's words and log lines all pass a `Redactor` at their border.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "*****"
SHORTEST = 4
"""A value of fewer characters is too common to be cut out of words and numbers: it is masked only where it stands alone."""
LINE, CORE, LEAVES, DEPTH = 8, 10, 200, 50
HTML_SAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
BASE64_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
SMELLS = re.compile(r"authorization|cookie|credential|passw|secret|signature|token|\b(?:x-)?api[_-]?key\b|\bkey\b|\bpwd\b|\bsig\b", re.I)
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"://[^/?#\s]*@"), f"://{MASK}@"),
    (re.compile(r"(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[^\s\"']+(?:[ \t][^\s\"']+)?", re.I), rf"\1{MASK}"),
    (re.compile(r"\b(bearer|basic)\s{1,9}(?=[A-Za-z._~+/=-]{0,64}\d)[A-Za-z0-9._~+/=-]{12,}", re.I), rf"\1 {MASK}"),
    (
        re.compile(
            r"([?&][^=&\s#?]{0,40}(?:token|secret|passw|api_?key|signature|\bsig|\bkey|credential)[^=&\s#]{0,40}=)[^&#\s\"'<>]+", re.I
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[\w-]{10,}"), MASK),
)


class Redactor:
    """Knows some secrets and masks them. A frozen value: `also` makes another one that knows more."""

    __slots__ = ("_cores", "_secrets", "_short", "_spellings")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(found for secret in secrets for found in _parts(secret))
        long = [secret for secret in self._secrets if len(secret) >= SHORTEST]
        self._short = sorted(secret for secret in self._secrets if len(secret) < SHORTEST)
        self._spellings = sorted({spelling for secret in long for spelling in _spellings(secret)}, key=len, reverse=True)
        self._cores = sorted({core for secret in long for core in _cores(secret)})

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def also(self, secrets: Iterable[str]) -> "Redactor":
        """This one with more secrets."""
        return Redactor(self._secrets.union(secrets))

    def text(self, text: str) -> str:
        """The text with every secret masked, in whatever spelling, and without credentials in URLs and headers."""
        for secret in self._short:
            text = _without_short(text, secret)
        text = _masked(text, _merged(sorted(self._found(text))))
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def quoted_in(self, text: str) -> bool:
        """True when a secret of at least four characters stands in the text, in whatever spelling."""
        return next(self._found(text), None) is not None

    def tree(self, value: Any, depth: int = 0) -> Any:
        """A decoded document with every text in it masked, and every value under a name that smells of a secret."""
        if isinstance(value, str):
            return self.text(value)
        if depth > DEPTH:
            return MASK
        if isinstance(value, dict):
            return {self._key(name): MASK if smells(str(name)) else self.tree(member, depth + 1) for name, member in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item, depth + 1) for item in value]
        return self.text(value.decode(errors="replace")) if isinstance(value, bytes) else value

    def _key(self, name: Any) -> Any:
        return self.text(name) if isinstance(name, str) else name

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets stand, from and to."""
        for spelling in self._spellings:
            yield from _places(text, spelling)
        for core in self._cores:
            yield from _words_with(text, core)


def suspects(document: Any) -> Iterator[str]:
    """Every text of a document that stands under a name that smells of a secret."""
    return (text for name, text in _named_texts("", document) if smells(name))


def texts(document: Any) -> Iterator[str]:
    """Every text of a document."""
    return (text for _, text in _named_texts("", document))


def _named_texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a document, with the name that it stands under."""
    if isinstance(value, str):
        yield name, value
    members = value.items() if isinstance(value, dict) else ((name, item) for item in value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _named_texts(str(key), member)


def smells(name: str) -> bool:
    """True of a name whose value is not for the eyes of strangers: of a header, a parameter, a field of a log line."""
    return SMELLS.search(name) is not None


def _parts(secret: str) -> Iterator[str]:
    """A value as stored, without the line ends that files add, line by line, and the texts inside it when it is JSON."""
    bare = secret.strip()
    if not bare:
        return
    yield from {secret, bare, " ".join(secret.split())}
    yield from (line for line in map(str.strip, bare.splitlines()) if len(line) >= LINE)
    if bare[0] in "{[":
        try:
            yield from _leaves(json.loads(bare))
        except (ValueError, RecursionError):
            return


def _leaves(document: Any) -> Iterator[str]:
    waiting, left = [document], LEAVES
    while waiting and left:
        value, left = waiting.pop(), left - 1
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        if isinstance(value, str) and len(value.strip()) >= LINE:
            yield value.strip()


def _spellings(secret: str) -> Iterator[str]:
    """How endpoints, libraries and shells write a text when they quote it back."""
    octets = secret.encode("utf-8", "surrogatepass")
    escaped, raw = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    web_safe = "".join(HTML_SAFE.get(sign, sign) for sign in raw)
    percent = [quote(octets, safe=safe) for safe in ("", "/", "/:@!$&'()*+,;=~")] + [quote_plus(octets)]
    lower = [re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), text) for text in percent]
    encoded = [base64.b64encode(octets).decode(), base64.urlsafe_b64encode(octets).decode()]
    yield from (secret, escaped, raw, web_safe, raw.replace("/", "\\/"), repr(secret)[1:-1], json.dumps(escaped)[1:-1])
    yield from (html.escape(secret), html.escape(secret, quote=False), *percent, *lower)
    yield from (octets.hex(), octets.hex().upper(), *encoded, *(text.rstrip("=") for text in encoded), *map(quote_plus, encoded))


def _cores(secret: str) -> Iterator[str]:
    """What every base64 text that holds the secret somewhere inside must contain: it depends only on where the secret begins, modulo 3."""
    octets = secret.encode("utf-8", "surrogatepass")
    for offset, unknown in enumerate((0, 2, 3)):
        encoded = base64.b64encode(b"\0" * offset + octets).decode()
        whole = (offset + len(octets)) * 8 // 6
        core = encoded[unknown:whole]
        if len(core) >= CORE:
            yield from {core, core.replace("+", "-").replace("/", "_")}


def _places(text: str, part: str) -> Iterator[tuple[int, int]]:
    start = text.find(part)
    while start >= 0:
        yield start, start + len(part)
        start = text.find(part, start + len(part))


def _words_with(text: str, core: str) -> Iterator[tuple[int, int]]:
    """The whole words of base64 that hold a core; each word once, however often it does."""
    start = text.find(core)
    while start >= 0:
        end = start + len(core)
        while start > 0 and text[start - 1] in BASE64_SIGNS:
            start -= 1
        while end < len(text) and text[end] in BASE64_SIGNS:
            end += 1
        yield start, end
        start = text.find(core, end)


def _merged(places: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Overlapping places as one, so that no secret shows behind the mask of another."""
    held: tuple[int, int] | None = None
    for start, end in places:
        if held and start < held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held:
            yield held
        held = (start, end)
    if held:
        yield held


def _masked(text: str, places: Iterator[tuple[int, int]]) -> str:
    parts, reached = [], 0
    for start, end in places:
        parts += [text[reached:start], MASK]
        reached = end
    return "".join([*parts, text[reached:]])


def _without_short(text: str, secret: str) -> str:
    """A short secret masked where it is the whole text or, unless it is a number, a whole word."""
    if text.strip(" \t\r\n\"'[]") == secret:
        return text.replace(secret, MASK)
    return text if secret.isdigit() else re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
