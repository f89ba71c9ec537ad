"""Conditions of Istio routes: two that must hold together as one, and what Istio's own validation refuses."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.expr.patterns import InvalidPattern, compile_pattern
from reconciler.kernel.identity import Manifest

LONGEST_PATTERN = 1024
KINDS = ("exact", "prefix", "regex")


def joined(one: Manifest, other: Manifest) -> Manifest | None:
    """A match block for what both match; None when nothing can, or when Istio has no words for it."""
    whole = {**one, **{key: value for key, value in other.items() if key not in one}}
    for key in ("uri", "method"):
        if key in one and key in other:
            text = _both(one[key], other[key])
            if text is None:
                return None
            whole[key] = text
    headers = _both_headers(one.get("headers") or {}, other.get("headers") or {})
    if headers is None:
        return None
    return {**whole, "headers": headers} if headers else whole


def _both_headers(one: Manifest, other: Manifest) -> Manifest | None:
    """Names of headers are the same in any case."""
    names = {name.lower(): name for name in one}
    headers = dict(one)
    for name, value in other.items():
        known = names.get(name.lower())
        if known is None:
            headers[name] = value
            continue
        text = _both(headers[known], value)
        if text is None:
            return None
        headers[known] = text
    return headers


def _both(one: Manifest, other: Manifest) -> Manifest | None:
    if one == other or not other:
        return one
    if not one:
        return other
    for left, right in ((one, other), (other, one)):
        if "exact" in left:
            return left if _accepts(right, str(left["exact"])) else None
    for left, right in ((one, other), (other, one)):
        if right.get("prefix") == "/" or ("prefix" in left and "prefix" in right and str(left["prefix"]).startswith(str(right["prefix"]))):
            return left
    return None


def _accepts(match: Manifest, text: str) -> bool:
    if "exact" in match:
        return bool(match["exact"] == text)
    if "prefix" in match:
        return text.startswith(str(match["prefix"]))
    try:
        return compile_pattern(f"^(?:{match.get('regex', '')})$").search(text)
    except InvalidPattern:
        return False


def refusal(value: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """(field, value, reason) of what Istio's admission refuses in a StringMatch."""
    for kind in KINDS:
        text = value.get(kind)
        if text is None:
            continue
        if kind == "prefix" and not text:
            yield kind, text, "Istio refuses an empty prefix: use regex .* for any value"
        if kind == "regex":
            reason = _bad_pattern(str(text))
            if reason:
                yield kind, text, reason


def _bad_pattern(text: str) -> str:
    if not text:
        return "Istio refuses an empty regex: use .* for any value"
    if len(text.encode()) > LONGEST_PATTERN:
        return f"Istio refuses a regex of more than {LONGEST_PATTERN} bytes"
    try:
        compile_pattern(text)
    except InvalidPattern as error:
        hint = ": use .* for any value" if text == "*" else ""
        return f"Istio refuses this regex ({error}){hint}"
    return ""
