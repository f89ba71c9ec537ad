"""Text of strangers on its way to people: what a log line, an event and a commit message must not be made to say or do.

Metric names and values, pod messages, branch names, authors, subjects, file names and answers of servers all pass one of these.
`releases.markdown` has the same for comments.
"""

import re
import unicodedata
from collections.abc import Iterator

KEPT = "\n\t"
LINE_ENDS = re.compile("\r\n|[\r\u0085\u2028\u2029]")
UNSEEN = frozenset({"Cc", "Cf", "Co"})
LINE_LIMIT, EVENT_LIMIT, WIDTH = 1000, 1024, 100
REPLACED = "\N{REPLACEMENT CHARACTER}"

DIGEST = r"(?<=[A-Za-z0-9])@(?=sha(?:256|512):[0-9a-f]{6})"
MENTION = re.compile(rf"(?!{DIGEST})@(?=[^\s@])")
REFERENCE = re.compile(r"(#(?=[\w\"'])|!(?=\w)|[$&%](?=\d))")
GITHUB_REFERENCE = re.compile(r"(?<![A-Za-z])(GH|AB)([-#])(?=\d)", re.IGNORECASE)
TICKET = re.compile(r"(?<![A-Za-z])([A-Za-z][A-Za-z0-9_]*)-(?=\d)|(?<![A-Za-z])T(?=\d)")
CLOSING = re.compile(
    r"\b(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?|complet(?:e[sd]?|ing))\b", re.IGNORECASE
)
URL = re.compile(r"(?<=[A-Za-z0-9])://|\bwww\.(?=\S)", re.IGNORECASE)
BRACKETS = re.compile(r"\[([^\[\]]{0,80})\]")
CI_WORD = re.compile(r"(?:^|[^a-z])(?:skip|no|ci|cd|pipeline|build|deploy|release|actions)(?:[^a-z]|$)", re.IGNORECASE)
CI_SIGNS = re.compile(r"\*{2,}\s*(no[_ -]?ci)\s*\*{0,}|\b(no)_(ci)\b", re.IGNORECASE)
CHECKS = re.compile(r"skip-checks(?=\s*:)", re.IGNORECASE)
LIKE_TRAILER = re.compile(r"(?:[a-z][a-z0-9-]*|breaking change)\s*:|\(cherry picked from|[#;|]|/[a-z]|>(?! )", re.IGNORECASE)


def clean(text: str) -> str:
    """Without control characters, those that are not seen and those that change the direction of writing; line ends are newlines."""
    if text.isprintable():
        return text
    text = LINE_ENDS.sub("\n", text)
    return "".join(_seen(sign) for sign in text)


def _seen(sign: str) -> str:
    if sign in KEPT:
        return sign
    category = unicodedata.category(sign)
    if category == "Cs":  # half a character: nothing can encode it
        return REPLACED
    return "" if category in UNSEEN else sign


def one_line(text: str) -> str:
    """The cleaned text on one line."""
    return " ".join(clean(text).split())


def shortened(text: str, limit: int) -> str:
    """One line of at most `limit` code points."""
    line = one_line(text)
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"


def encodable(text: str) -> str:
    """The text with half characters replaced, which no JSON, header or terminal can carry."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def log_line(text: str, limit: int = 0) -> str:
    """A value in a log: one line, no terminal sequence; of at most `limit` code points, if given."""
    return shortened(text, limit) if limit else one_line(text)


def event_text(text: str) -> str:
    """The message of a Kubernetes event: one line of at most 1,024 bytes (events.k8s.io/v1, `note`)."""
    line = clean(text).strip().replace("\n", " ").replace("\t", " ")
    return line.encode()[:EVENT_LIMIT].decode(errors="ignore")


def commit_line(text: str, limit: int = LINE_LIMIT) -> str:
    """One line of a commit message in which no person is mentioned, no issue is closed or linked, no pipeline is skipped, and which is
    no trailer. Forges read messages as they are, so what they look for is taken apart by a space; said twice it is the same."""
    line = shortened(text, limit)
    line = CI_SIGNS.sub(lambda found: " ".join(filter(None, found.groups())).replace("_", " "), line)
    line = CHECKS.sub("skip checks", line)
    line = _unskipped(line)
    line = URL.sub(lambda found: found[0].replace("://", ": //").replace(".", " ."), line)
    line = GITHUB_REFERENCE.sub(r"\1 \2 ", line)
    line = REFERENCE.sub(r"\1 ", line)
    line = MENTION.sub("@ ", line)
    if CLOSING.search(line):
        line = TICKET.sub(lambda found: f"{found[1]} - " if found[1] else "T ", line)
    return f"> {line}" if LIKE_TRAILER.match(line) else line


def _unskipped(line: str) -> str:
    """Words in square brackets that pipelines obey, in round ones; brackets inside brackets too."""
    while True:
        replaced = BRACKETS.sub(lambda found: f"({found[1]})" if CI_WORD.search(found[1]) else found[0], line)
        if replaced == line:
            return line
        line = replaced


def commit_text(text: str, width: int = WIDTH, limit: int = LINE_LIMIT) -> str:
    """A paragraph of a commit message: wrapped, and every line as harmless as `commit_line` makes it."""
    return "\n".join(commit_line(line, limit) for line in _wrapped(commit_line(text, limit), width))


def _wrapped(line: str, width: int) -> Iterator[str]:
    held = ""
    for word in line.split():
        if held and len(held) + len(word) >= width:
            yield held
            held = ""
        held = f"{held} {word}".strip()
    yield held
