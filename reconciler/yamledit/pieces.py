"""The smallest pieces of a file to write anew so that one object in it reads as wanted; every byte outside of them stays.

A piece is one scalar, else one entry of whole lines as another version of the file (the model) writes it, else the nearest entry around it,
else the nearest mapping or list in brackets, else our own words. No way of writing is trusted: after each step the file is read again, and
only what brought it nearer, and moved nothing else, is kept.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.yamledit.changes import ABSENT, PartChange, changes, entries, matching, part_at, put
from reconciler.yamledit.differences import canonical
from reconciler.yamledit.lines import Entry, Part, entry_of, insert_lines, new_entry, remove_lines, replace_lines
from reconciler.yamledit.nodes import (
    BOM,
    AliasNode,
    FieldPath,
    MappingNode,
    NotYaml,
    ScalarNode,
    SequenceNode,
    compose_each,
    decode,
    unaliased,
    wording,
)
from reconciler.yamledit.splice import EditRefused, ScalarEdit, overwritten, splice
from reconciler.yamledit.values import placed_at, value_of

MOST_STEPS = 1000
MANY = 20
"""From so many changes on, larger pieces are tried first: a step costs a reading of the file."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new file; `reworded` says that some piece is in our own words because no other version of it was written anywhere."""

    content: bytes
    reworded: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    """One state of the file: its text, the wording of its other documents, and the value of the one that is edited."""

    content: bytes
    others: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class _Goal:
    """The object at `target`, the value that its whole document shall have, and where its text may come from."""

    target: Part
    wanted: Any
    model: Part | None
    model_value: Any


def rewritten(target: Part, wanted: Any, model: Part | None) -> Rewritten:
    """The file in which the object at `target` has the value `wanted`. Raises EditRefused with the reason of the smallest piece."""
    page = _page(target.content, target.document)
    value = _value(model) if model is not None else ABSENT
    goal = _Goal(target, put(page.value, target.path, wanted), model, value)
    reworded = False
    for _ in range(MOST_STEPS):
        left = list(changes(page.value, goal.wanted))
        if not left:
            return Rewritten(page.content, reworded)
        ours, page = _step(page, goal, left)
        reworded = reworded or ours
    raise EditRefused(f"more than {MOST_STEPS} pieces would have to be written anew")


def _step(page: _Page, goal: _Goal, left: list[PartChange]) -> tuple[bool, _Page]:
    before = {canonical([change.old_path, change.new_path]) for change in left}
    refusal: EditRefused | None = None
    for way in _ways(page, goal, left):
        try:
            ours, content = way()
            after = _nearer(page, goal, content, before)
        except EditRefused as refused:
            refusal = refusal or refused
            continue
        return ours, after
    raise refusal or EditRefused("there is no way to write this")


def _nearer(page: _Page, goal: _Goal, content: bytes, before: set[str]) -> _Page:
    """The file read again. Raises EditRefused unless less is left to do and all the rest is as it was."""
    try:
        after = _page(content, goal.target.document)
    except NotYaml as error:
        raise EditRefused(f"the edited file would not be YAML: {error.message}") from error
    if after.others != page.others:
        raise EditRefused("the edit would change other documents")
    left = {canonical([change.old_path, change.new_path]) for change in changes(after.value, goal.wanted)}
    if not left < before:
        raise EditRefused("the edit would change other values")
    return after


def _page(content: bytes, document: int) -> _Page:
    text = decode(content)
    documents = compose_each(text)
    if document >= len(documents):
        raise EditRefused("the document is gone")
    own = documents[document]
    if own.problem is not None:
        raise own.problem
    if own.root is None:
        raise EditRefused("the document is empty")
    others = tuple(wording(text, other) for other in documents if other is not own)
    return _Page(content, others, value_of(own.root))


def _value(model: Part) -> Any:
    return part_at(_page(model.content, model.document).value, model.path)


# --- the ways, from the smallest piece to the largest ---


def _ways(page: _Page, goal: _Goal, left: list[PartChange]) -> Iterator[Any]:
    change = left[0]
    around = list(_around(goal, change))
    if len(left) > MANY:
        yield from (lambda here=here: (False, _copied(page, goal, here)) for here in reversed(around[-3:]))
    if change.old is not ABSENT and change.new is not ABSENT:
        yield from _scalar_ways(page, goal, change)
    yield lambda: (False, _whole(page, goal, change, ours=False))
    yield from (lambda here=here: (False, _copied(page, goal, here)) for here in around)
    yield from (lambda here=here: _bracketed(page, goal, here) for here in around)
    yield lambda: (True, _whole(page, goal, change, ours=True))
    yield from (lambda here=here: (True, _worded(page, goal, here)) for here in around)


def _around(goal: _Goal, change: PartChange) -> Iterator[tuple[FieldPath, FieldPath]]:
    """The entries around a change, nearest first, up to those of the object: path in the file, path in the wanted value."""
    here = change.old_path[:-1] if change.new is ABSENT or change.old is not ABSENT else change.old_path
    there = change.new_path[:-1] if change.old is ABSENT or change.new is not ABSENT else change.new_path
    for length in range(len(here), len(goal.target.path), -1):
        yield here[:length], there[:length]


def _whole(page: _Page, goal: _Goal, change: PartChange, ours: bool) -> bytes:
    """The entry of the change itself taken out, put in, or written anew."""
    if change.new is ABSENT:
        return remove_lines(_place(page, goal, change.old_path))
    if change.old is not ABSENT:
        if not change.old_path:
            raise EditRefused("the whole document would have to be written anew")
        return (_worded if ours else _copied)(page, goal, (change.old_path, change.new_path))
    entry = new_entry(change.new_path[-1], change.new) if ours else _model_entry(goal, change.new_path)
    return insert_lines(entry, _place(page, goal, change.old_path), _sibling(page, goal, change))


def _copied(page: _Page, goal: _Goal, paths: tuple[FieldPath, FieldPath]) -> bytes:
    return replace_lines(_model_entry(goal, paths[1]), _place(page, goal, paths[0]))


def _worded(page: _Page, goal: _Goal, paths: tuple[FieldPath, FieldPath]) -> bytes:
    return replace_lines(new_entry(paths[1][-1], part_at(goal.wanted, paths[1])), _place(page, goal, paths[0]))


def _bracketed(page: _Page, goal: _Goal, paths: tuple[FieldPath, FieldPath]) -> tuple[bool, bytes]:
    """A mapping or list in brackets as the model writes it in brackets too; else as JSON, which is our own wording."""
    text = decode(page.content)
    placed = _in_brackets(Part(page.content, goal.target.document, paths[0]))
    if placed is None:
        raise EditRefused("the entry is not written in brackets")
    known = _model_path(goal, paths[1])
    source = _bracket_text(Part(goal.model.content, goal.model.document, (*goal.model.path, *known))) if known and goal.model else ""
    written = source or json.dumps(part_at(goal.wanted, paths[1]), ensure_ascii=False)
    bom = BOM if page.content.startswith(BOM) else b""
    return not source, bom + (text[: placed.start] + written + text[placed.end :]).encode()


def _bracket_text(part: Part) -> str:
    """A mapping or list in brackets as a file writes it; "" where it is written otherwise."""
    placed = _in_brackets(part)
    return decode(part.content)[placed.start : placed.end] if placed is not None else ""


def _in_brackets(part: Part) -> MappingNode | SequenceNode | None:
    root = compose_each(decode(part.content))[part.document].root
    placed = placed_at(root, part.path) if root is not None else None
    return placed if isinstance(placed, MappingNode | SequenceNode) and placed.flow else None


def _place(page: _Page, goal: _Goal, path: FieldPath) -> Part:
    return Part(page.content, goal.target.document, path)


def _model_path(goal: _Goal, path: FieldPath) -> FieldPath | None:
    """Where the model says what is wanted at a path, and says the same."""
    root = goal.target.path
    mine = part_at(goal.wanted, root)
    found = matching(mine, path[len(root) :], goal.model_value) if goal.model_value is not ABSENT else None
    if found is None or canonical(part_at(goal.model_value, found)) != canonical(part_at(goal.wanted, path)):
        return None
    return found


def _model_entry(goal: _Goal, path: FieldPath) -> Entry:
    found = _model_path(goal, path)
    if found is None or goal.model is None:
        raise EditRefused("the branch has further changes around it")
    return entry_of(Part(goal.model.content, goal.model.document, (*goal.model.path, *found)))


def _sibling(page: _Page, goal: _Goal, change: PartChange) -> str | int | None:
    """The nearest entry before a new one that the file has already; None for the first."""
    holder, wanted = part_at(page.value, change.old_path), part_at(goal.wanted, change.new_path[:-1])
    present, order = entries(holder, wanted), entries(wanted, holder)
    earlier = []
    for key, (part, _child) in order.items():
        if part == change.new_path[-1]:
            break
        if key in present:
            earlier.append(present[key][0])
    return earlier[-1] if earlier else None


# --- one scalar ---


def _scalar_ways(page: _Page, goal: _Goal, change: PartChange) -> Iterator[Any]:
    if isinstance(change.new, dict | list) or isinstance(change.old, dict | list):
        return
    source = _model_source(goal, change.new_path)
    yield lambda: (False, _spliced(page, goal, change, source))
    for through in (True, False):
        yield lambda through=through: (False, _shared(page, goal, change, through))


def _spliced(page: _Page, goal: _Goal, change: PartChange, source: str) -> bytes:
    root = compose_each(decode(page.content))[goal.target.document].root
    placed = placed_at(root, change.old_path) if root is not None else None
    if not isinstance(placed, ScalarNode):
        raise EditRefused("the value is shared through an anchor")
    edit = _edit(goal, change, placed)
    return splice(page.content, ScalarEdit(edit.document, edit.path, edit.old, edit.new, edit.text, source))


def _shared(page: _Page, goal: _Goal, change: PartChange, through: bool) -> bytes:
    """The value behind an anchor set for all its places, or the alias itself replaced by the value."""
    text = decode(page.content)
    root = compose_each(text)[goal.target.document].root
    placed = placed_at(root, change.old_path) if root is not None else None
    if placed is None:
        raise EditRefused("the value is gone")
    node = unaliased(placed)
    if isinstance(node, ScalarNode):
        chosen = node if through or not isinstance(placed, AliasNode) else placed
        bom = BOM if page.content.startswith(BOM) else b""
        return bom + overwritten(text, chosen, _edit(goal, change, node)).encode()
    raise EditRefused("there is a mapping or list at this path")


def _edit(goal: _Goal, change: PartChange, node: ScalarNode) -> ScalarEdit:
    is_text = isinstance(change.new, str)
    new = change.new if is_text else _model_word(goal, change.new_path) or json.dumps(change.new)
    return ScalarEdit(goal.target.document, change.old_path, node.text, new, is_text)


def _model_source(goal: _Goal, path: FieldPath) -> str:
    """A scalar as the model writes it, where that is in quotes and on one line; else ""."""
    placed = _model_scalar(goal, path)
    if placed is None or goal.model is None or placed.style in ("|", ">") or placed.line != placed.last_line:
        return ""
    source = decode(goal.model.content)[placed.start : placed.end]
    return source if source[:1] in ("'", '"') else ""


def _model_word(goal: _Goal, path: FieldPath) -> str:
    """A number or another bare word as the model writes it, such as 0644; "" where it does not write one."""
    placed = _model_scalar(goal, path)
    return placed.text if placed is not None and not placed.style and placed.tag is None else ""


def _model_scalar(goal: _Goal, path: FieldPath) -> ScalarNode | None:
    """The scalar of the model that says what is wanted at a path."""
    found = _model_path(goal, path)
    if found is None or goal.model is None:
        return None
    root = compose_each(decode(goal.model.content))[goal.model.document].root
    placed = placed_at(root, (*goal.model.path, *found)) if root is not None else None
    return placed if isinstance(placed, ScalarNode) else None
