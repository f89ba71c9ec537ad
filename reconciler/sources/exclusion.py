"""Which files of a source are left out, by the globs of `exclude`."""

import re
from collections.abc import Sequence
from functools import cache

CLASS = re.compile(r"\[!?[^\]/]+\]")
PIECE = re.compile(rf"(\*\*/|/\*\*$|\*\*|\*|\?|{CLASS.pattern})")
SIGNS = re.compile(r"[\\\[&~|]")
"""What would mean something to `re` inside of a class, and means itself in a glob."""
MEANINGS = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def excluded(name: str, folder: str, globs: Sequence[str]) -> bool:
    """True when a file, named from the repository's root, is left out of a source that follows `folder`.

    A glob without a slash means names at any depth, one with a slash a path below the folder; a folder that matches is left out whole.
    """
    inside = name.removeprefix(f"{folder}/") if folder else name
    parts = inside.split("/")
    places = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    return any(_matches(glob, parts if "/" not in glob.strip("/") else places) for glob in globs)


def readable(glob: str) -> bool:
    """True for a glob that means something; a range that runs backwards, as in `[z-a]`, does not."""
    try:
        _pattern(glob.strip("/"))
    except re.error:
        return False
    return True


def _matches(glob: str, texts: Sequence[str]) -> bool:
    pattern = _pattern(glob.strip("/"))
    return any(pattern.fullmatch(text) for text in texts)


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    pieces = (_meaning(piece) for piece in PIECE.split(glob.removeprefix("./")) if piece)
    return re.compile("".join(pieces), re.DOTALL)


def _meaning(piece: str) -> str:
    if CLASS.fullmatch(piece):
        inner = SIGNS.sub(r"\\\g<0>", piece[1:-1])
        return f"[^{inner[1:]}]" if inner.startswith("!") and inner != "!" else f"[{inner}]"
    return MEANINGS.get(piece) or re.escape(piece)
