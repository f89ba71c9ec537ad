"""Addresses as people and servers wrote them: in settings, in a webhook, in an answer. Not all of them are any."""

from urllib.parse import SplitResult, urlsplit

NOWHERE = SplitResult("", "", "", "", "")


def split_address(text: str) -> SplitResult:
    """The parts of an address, its port can be read; all of them are empty where the text is none (the library raises for some)."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - read to see whether it is a number
    except ValueError:
        return NOWHERE
    return parts


def is_web_address(text: str) -> bool:
    """True of http and https with a host, without what no address holds."""
    parts = split_address(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and " " not in text
