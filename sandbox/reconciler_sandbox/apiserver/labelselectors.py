"""Label selectors as text, in Kubernetes' grammar; what does not follow it is refused as a whole."""

import re
from collections.abc import Callable, Mapping

from reconciler_sandbox.apiserver import qualified
from reconciler_sandbox.apiserver.failures import Failure, bad_request

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]

NAME = r"[^\s=!<>(),]+"
TERM = re.compile(
    rf"\s*(?:!\s*(?P<absent>{NAME})"
    rf"|(?P<key>{NAME})\s*(?:(?P<operator>==|=|!=|<|>)\s*(?P<value>(?:{NAME})?)|(?P<membership>in|notin)\s*\((?P<values>[^()=!<>]*)\))?)"
    r"\s*(?P<end>,|$)"
)


def parse(text: str) -> list[Requirement]:
    """What a selector asks of labels. Raises Failure 400."""
    found: list[Requirement] = []
    position, end = 0, ""
    while text.strip() and (not position or end):
        term = TERM.match(text, position)
        if term is None:
            raise _unparsable(text[position:])
        found.append(_requirement(term))
        position, end = term.end(), term["end"]
    return found


def _requirement(term: re.Match[str]) -> Requirement:
    key = term["absent"] or term["key"]
    values = [value.strip() for value in (term["values"] or "").split(",")]
    if qualified.name_complaints(key) or any(qualified.value_complaints(value) for value in (*values, term["value"] or "")):
        raise _unparsable(term[0])
    if term["membership"]:
        return membership(key, term["membership"] == "in", frozenset(values))
    if term["operator"]:
        return comparison(key, term["operator"], term["value"])
    return lambda labels: (key in labels) is not bool(term["absent"])


def _unparsable(term: str) -> Failure:
    return bad_request(f"unable to parse requirement: {term.strip()}")


def membership(key: str, wanted: bool, values: frozenset[str]) -> Requirement:
    """One of some values, or none of them; an absent label is none of them."""
    return lambda labels: (labels.get(key) in values) is wanted


def comparison(key: str, operator: str, value: str) -> Requirement:
    """Equal, different (or absent), or a greater or smaller number."""
    if operator in (">", "<"):
        if not value.isdigit():
            raise _unparsable(f"{key}{operator}{value}")
        limit, sign = int(value), 1 if operator == ">" else -1
        return lambda labels: labels.get(key, "").isdigit() and (int(labels[key]) - limit) * sign > 0
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value
