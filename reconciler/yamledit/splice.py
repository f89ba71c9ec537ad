"""Changes the text of one value in a YAML file and leaves every other byte alone.

The value is found by document and path, compared with what the caller expects, replaced between its marks, and the result is
composed again to prove that nothing else changed. Formatting, comments, line ends and quotes are the author's.
"""

import re
from dataclasses import dataclass, replace

from reconciler.yamledit.nodes import (
    BOM,
    AliasNode,
    Document,
    FieldPath,
    Leaf,
    NotYaml,
    ScalarNode,
    compose,
    compose_each,
    decode,
    leaves,
    wording,
)
from reconciler.yamledit.values import reads_as_text

PROPERTIES = re.compile(r"(?:[&!]\S*(?:[ \t]+|[ \t]*\r?\n[ \t]*))+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")


class EditRefused(Exception):
    """An edit that would not do exactly what was asked; the message says why."""


class Stale(EditRefused):
    """The value is no longer the one the caller expects: the file was edited in between."""


@dataclass(frozen=True, slots=True)
class ScalarEdit:
    """One value to set. `text` says whether the new value is a string (then quoted where needed) or a bare YAML word or number.

    `source` is how another version of the file writes the new value, quotes included; it is taken where it means the same here.
    """

    document: int
    path: FieldPath
    old: str
    new: str
    text: bool = True
    source: str = ""


def splice(content: bytes, edit: ScalarEdit) -> bytes:
    """The same file with one value replaced. Raises Stale or EditRefused; NotYaml when the document cannot be read."""
    text = decode(content)
    documents = compose_each(text)
    node = _target(documents, edit)
    if node.text != edit.old:
        raise Stale("the value is no longer the expected one")  # Not which one: it may be a secret.
    spliced = overwritten(text, node, edit)
    try:
        _prove((text, documents), spliced, edit)
    except EditRefused:
        if not edit.source:
            raise
        spliced = overwritten(text, node, replace(edit, source=""))
        _prove((text, documents), spliced, edit)
    return (BOM if content.startswith(BOM) else b"") + spliced.encode()


def overwritten(text: str, placed: ScalarNode | AliasNode, edit: ScalarEdit) -> str:
    """The text with another value at a place, unproven. An alias makes way for the value itself."""
    if CONTROL.search(edit.new):
        raise EditRefused("the new value holds a control character")
    if isinstance(placed, AliasNode):
        return text[: placed.start] + (edit.source or _written("", edit)) + text[placed.end :]
    start, end, source = _replacement(text, placed, edit)
    return text[:start] + source + text[end:]


def _target(documents: tuple[Document, ...], edit: ScalarEdit) -> ScalarNode:
    if edit.document >= len(documents):
        raise Stale(f"the file has no document {edit.document}")
    if (problem := documents[edit.document].problem) is not None:
        raise problem
    places = [place for place in leaves(documents[edit.document]) if place.path == edit.path]
    if not places:
        raise Stale("there is no value at this path")
    if len(places) > 1:
        raise EditRefused("a key on the path is written twice")
    place = places[0]
    if not isinstance(place.node, ScalarNode):
        raise Stale("there is a mapping or list at this path")
    if place.shared:
        raise EditRefused("the value is shared through an anchor: a change would move other values too")
    return place.node


def _replacement(text: str, node: ScalarNode, edit: ScalarEdit) -> tuple[int, int, str]:
    if node.style in ("|", ">"):
        return _in_block(text, node, edit)
    start = _after_properties(text, node)
    if "\n" in text[start : node.end] or "\r" in text[start : node.end]:
        raise EditRefused("the value spans several lines")
    # After `image:` with no value at all there is no space to write behind.
    gap = " " if start == node.end and text[start - 1 : start] in (":", "-") else ""
    return start, node.end, gap + (edit.source or _written(node.style, edit))


def _in_block(text: str, node: ScalarNode, edit: ScalarEdit) -> tuple[int, int, str]:
    source = text[node.start : node.end]
    old, new = edit.old.rstrip("\n"), edit.new.rstrip("\n")
    if not old or "\n" in old or source.count(old) != 1 or not edit.text:
        raise EditRefused("the value is a block of several lines")
    start = node.start + source.index(old)
    return start, start + len(old), new


def _after_properties(text: str, node: ScalarNode) -> int:
    match = PROPERTIES.match(text, node.start, node.end)
    return match.end() if match else node.start


def _written(style: str, edit: ScalarEdit) -> str:
    if not edit.text:
        return edit.new
    if style == "'":
        return "'" + edit.new.replace("'", "''") + "'"
    if style == '"' or not plain_is_safe(edit.new):
        return '"' + edit.new.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return edit.new


def plain_is_safe(text: str) -> bool:
    """True when a bare text reads as exactly this string, inside a flow list too."""
    if not reads_as_text(text) or CONTROL.search(text):
        return False
    try:
        places = [place for document in compose(f"[{text}]") for place in leaves(document)]
    except NotYaml:
        return False
    return [_shape(place) for place in places] == [((0,), text, "", None)]


def _shape(place: Leaf) -> tuple[FieldPath, str, str, str | None]:
    node = place.node
    if isinstance(node, ScalarNode):
        return place.path, node.text, node.style and "quoted", node.tag
    return place.path, "", type(node).__name__, None


def _prove(before: tuple[str, tuple[Document, ...]], spliced: str, edit: ScalarEdit) -> None:
    text, documents = before
    after = compose_each(spliced)
    if len(documents) != len(after):
        raise EditRefused("the edit would change the number of documents")
    for one, other in zip(documents, after, strict=True):
        if one.index == edit.document:
            _prove_document(one, other, edit)
        elif wording(text, one) != wording(spliced, other):
            raise EditRefused("the edit would change other documents")


def _prove_document(before: Document, after: Document, edit: ScalarEdit) -> None:
    try:
        if after.problem is not None:
            raise after.problem
        was, now = [_shape(place) for place in leaves(before)], [_shape(place) for place in leaves(after)]
    except NotYaml as error:
        raise EditRefused(f"the edited file would not be YAML: {error.message}") from error
    if [shape for shape in was if shape[0] != edit.path] != [shape for shape in now if shape[0] != edit.path]:
        raise EditRefused("the edit would change other values")
    if not _arrived([shape for shape in now if shape[0] == edit.path], edit):
        raise EditRefused("the new value does not read as it was meant")


def _arrived(reached: list[tuple[FieldPath, str, str, str | None]], edit: ScalarEdit) -> bool:
    if len(reached) != 1:
        return False
    _path, text, style, tag = reached[0]
    if text.rstrip("\n") != edit.new.rstrip("\n"):
        return False
    return not style if not edit.text else bool(style) or reads_as_text(text) or tag is not None
