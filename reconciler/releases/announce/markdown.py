"""Text of strangers inside our comments: nothing in it may mention, link, hide, command or break out. Pure.

For a sentence `plain`, for a value `code`, for several lines `fenced`. A commit message is read by other rules:
`kernel.text.commit_line` and `commit_text`, also for what becomes the description of a proposal.
"""

import re
from collections.abc import Iterable, Sequence

from reconciler.kernel import text as kernel
from reconciler.kernel.text import clean as clean
from reconciler.kernel.text import one_line

LIMIT = 60_000
DESCRIPTION_LIMIT = 140
NOTICE = "_… cut here; the whole report is in the release._"
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~>=$-])")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
BREAK = "\u200b"
COMMAND = re.compile(r"^([ \t]*)(?=/[a-z][\w-]*(?:\s|$))", re.MULTILINE | re.IGNORECASE)
"""What bots and forges obey when it begins a line, also in a code block: `/close`, `/lgtm`."""


def marker(name: str) -> str:
    """The hidden first line that finds a comment again, e.g. for `storefront/production`."""
    return f"<!-- reconciler:v1 {re.sub(r'[^A-Za-z0-9._/ -]', '_', name).replace('--', '__')} -->"


def plain(text: str) -> str:
    """One line that shows exactly this text: no markup, HTML, mention, issue reference, link or command."""
    line = SPECIAL.sub(r"\\\1", one_line(text))
    line = re.sub(r"^(\d+)(\.)", r"\1\\\2", line)  # no numbered list
    line = re.sub(r"^/", r"\\/", line)
    line = re.sub(r"&(?=\d)", f"&{BREAK}", line).replace("&", "&amp;").replace("<", "&lt;")
    line = re.sub(r"@(?=\w)", f"@{BREAK}", line)
    line = re.sub(r"(?i)\b(gh)\\-(?=\d)", rf"\1{BREAK}\\-", line)
    line = re.sub(r"([#!$~%])(?=\w)", rf"\1{BREAK}", line)  # GitLab looks for references after the escapes are gone
    return re.sub(r"(?i)(://|www\.)", lambda m: f"{m[1][0]}{BREAK}{m[1][1:]}", line)


def code(text: str) -> str:
    """One line as a code span; runs of backticks get a longer delimiter (CommonMark 6.1)."""
    line = one_line(text)
    if not line:
        return ""
    delimiter = "`" * (_longest(line, "`") + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{delimiter}{space}{line}{space}{delimiter}"


def fenced(text: str, language: str = "") -> str:
    """A code block that its content cannot close, and in which no line is a command to a bot."""
    shown = COMMAND.sub(rf"\1{BREAK}", clean(text).rstrip())
    fence = "`" * max(3, _longest(shown, "`") + 1)
    return f"{fence}{re.sub(r'[^a-z0-9]', '', language)}\n{shown}\n{fence}"


def cell(markup: str) -> str:
    """Finished markup for a table cell: a pipe, also inside a code span, no longer ends the cell."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\|", r"\1\\|", markup).replace("\n", "<br>")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of finished markup."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(markup) for markup in line) + " |" for line in lines)


def cut(body: str, limit: int = LIMIT, notice: str = NOTICE) -> str:
    """At most `limit` code points, cut at a line end, with open code fences and `<details>` closed and a notice at the end."""
    if len(body) <= limit:
        return body
    kept = body[: max(limit - len(notice) - 2, 0)]
    while True:
        whole = kept.rpartition("\n")[0] or kept
        ending = "".join(f"\n{line}" for line in [*_open(whole), "", notice])
        if len(whole) + len(ending) <= limit:
            return whole + ending
        kept = whole[: max(limit - len(ending), 0)]


def shortened(text: str, limit: int = DESCRIPTION_LIMIT) -> str:
    """One line of at most `limit` code points."""
    return kernel.shortened(text, limit)


def _longest(text: str, letter: str) -> int:
    return max((len(run) for run in re.findall(f"{letter}+", text)), default=0)


def _open(text: str) -> list[str]:
    """The lines that close what is open at the end of `text`: the code fence first, then each `<details>`."""
    fence, details = "", 0
    for line in text.split("\n"):
        match = FENCE.fullmatch(line)
        if fence:
            closes = match and match[1].startswith(fence) and not match[2].strip()
            fence = "" if closes else fence
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
        else:
            details += line.lower().count("<details") - line.lower().count("</details")
    closing = [fence] if fence else []
    return [*closing, "", *["</details>"] * details] if details > 0 else closing
