"""The edit that takes a rejected change back: every value of one workload's template and config, compared and set at the branch tip.

Not a `git revert`: other people's changes in the same commit or file stay (ADR 0012).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.kernel.identity import Manifest
from reconciler.sources.changes import changed_fields, template_differences
from reconciler.sources.documents import Located, Parsed, node_of, replace_files
from reconciler.sources.images import template_path
from reconciler.sources.model import ChangedField, WorkloadId
from reconciler.sources.templates import CONFIG_PARTS, Workload, behind, identity, referenced_config, workloads
from reconciler.yamledit.differences import Difference, canonical, differences, same_identity, text_or_value
from reconciler.yamledit.lines import Part, insert_lines, remove_lines, replace_lines
from reconciler.yamledit.nodes import FieldPath, Node, ScalarNode, node_at
from reconciler.yamledit.splice import EditRefused, ScalarEdit, splice
from reconciler.yamledit.values import scalar_value


@dataclass(frozen=True, slots=True)
class RestoreEdit:
    """The new bytes per file, the values that move, and whether it may be pushed without review; `reason` says why not."""

    files: Mapping[str, bytes]
    fields: tuple[ChangedField, ...]
    direct: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Superseded:
    """The branch no longer asks for the rejected version: nothing to write. `restored` when it asks for the proven one."""

    reason: str
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Impossible:
    """No edit of ours would do it; the reason is for the person who will."""

    reason: str


Outcome = RestoreEdit | Superseded | Impossible


@dataclass(frozen=True, slots=True)
class Versions:
    """One source three times: as proven, as rejected, and as the branch has it now."""

    proven: Parsed
    rejected: Parsed
    tip: Parsed


@dataclass(frozen=True, slots=True)
class _Unit:
    """One object that the workload consists of, in three versions, and the parts of it that count."""

    proven: Located | None
    rejected: Located | None
    tip: Located | None
    parts: tuple[FieldPath, ...]


@dataclass(frozen=True, slots=True)
class _TipSoFar:
    """The tip after the edits so far, and the values that moved."""

    tip: Parsed
    fields: tuple[ChangedField, ...] = ()
    touched: frozenset[str] = field(default_factory=frozenset)


class _Moved(Exception):
    """The tip holds another value than the rejected one."""


def restore_edits(proven: Parsed, rejected: Parsed, tip: Parsed, workload: WorkloadId) -> Outcome:
    """What to write at the tip so that it asks for the proven version of one workload again."""
    versions = Versions(proven, rejected, tip)
    found = [workloads(version).get(workload) for version in (proven, rejected, tip)]
    good, bad, now = found
    if good is None or bad is None:
        return Impossible(f"{workload} has no {'proven' if good is None else 'rejected'} version in this source")
    if now is None:
        return Superseded(f"{workload} is no longer in the source")
    if identity(tip, now) == identity(proven, good):
        return Superseded(f"the branch already asks for the proven version of {workload}", restored=True)
    try:
        draft = _edited(versions, (good, bad, now))
    except _Moved as moved:
        return Superseded(str(moved))
    except EditRefused as refused:
        return Impossible(str(refused))
    return _judged(versions, draft, workload)


def _judged(versions: Versions, draft: _TipSoFar, workload: WorkloadId) -> Outcome:
    if not draft.touched and _asks_for_rejected(versions, workload):
        return Impossible("the rejected version differs from the proven one only in the order of a list")
    if not draft.touched:
        return Superseded("the branch holds none of the rejected values any more")
    reason = proof(versions, draft.tip, workload)
    if reason == _BROKEN:
        return Impossible("the edited files would not parse")
    contents = {name: draft.tip.files[name].content for name in sorted(draft.touched)}
    return RestoreEdit(contents, draft.fields, direct=not reason, reason=reason)


_BROKEN = "broken"


def proof(versions: Versions, edited: Parsed, workload: WorkloadId) -> str:
    """Why an edited source may not be pushed directly, or "" when it asks for exactly the proven version and nothing else moved."""
    before, after = workloads(versions.tip), workloads(edited)
    if len(edited.problems) > len([p for p in versions.tip.problems if p.file in versions.tip.files]) or workload not in after:
        return _BROKEN
    others = [id for id in {*before, *after} - {workload} if _asks_otherwise((versions.tip, before.get(id)), (edited, after.get(id)))]
    if others:
        return f"the edit would also change {', '.join(sorted(map(str, others)))}"
    if not _same(_rest(versions.tip, before[workload]), _rest(edited, after[workload])):
        return _BROKEN
    if identity(edited, after[workload]) != identity(versions.proven, workloads(versions.proven)[workload]):
        if _asks_for_rejected(versions, workload):
            return "a list would be in another order than in the proven version"
        return "the branch has further changes to this workload since the rejected version"
    return ""


def _asks_for_rejected(versions: Versions, workload: WorkloadId) -> bool:
    bad, now = workloads(versions.rejected)[workload], workloads(versions.tip)[workload]
    return identity(versions.rejected, bad) == identity(versions.tip, now)


def _rest(parsed: Parsed, workload: Workload) -> list[Manifest]:
    """Everything in the source that no edit for this workload may touch."""
    own = {workload.template.key, *(located.key for located in referenced_config(parsed, workload))}
    return [located.manifest for located in parsed.manifests if located.key not in own]


def _same(ones: list[Manifest], others: list[Manifest]) -> bool:
    """Manifests of files that were not edited are the very same objects: that is the cheap first look."""
    return len(ones) == len(others) and all(
        one is other or canonical(one) == canonical(other) for one, other in zip(ones, others, strict=True)
    )


def _asks_otherwise(before: tuple[Parsed, Workload | None], after: tuple[Parsed, Workload | None]) -> bool:
    (tip, was), (edited, now) = before, after
    if was is None or now is None:
        return was is not now
    return not _same(behind(tip, was), behind(edited, now)) and identity(tip, was) != identity(edited, now)


def _edited(versions: Versions, found: tuple[Workload, Workload, Workload]) -> _TipSoFar:
    draft = _TipSoFar(versions.tip)
    for unit in _units(versions, found):
        if unit.proven is None or unit.rejected is None:
            continue  # A config object that only one version refers to: putting the reference back is the whole edit.
        for part in unit.parts:
            draft = _edit_part(versions, unit, part, draft)
    return draft


def _units(versions: Versions, found: tuple[Workload, Workload, Workload]) -> Iterator[_Unit]:
    good, bad, now = found
    yield _Unit(good.template, bad.template, now.template, (template_path(bad.template.key[0]) or (),))
    for key in sorted({located.key for located in (*referenced_config(versions.proven, good), *referenced_config(versions.rejected, bad))}):
        yield _Unit(
            versions.proven.find(*key), versions.rejected.find(*key), versions.tip.find(*key), tuple((part,) for part in CONFIG_PARTS)
        )


def _edit_part(versions: Versions, unit: _Unit, part: FieldPath, draft: _TipSoFar) -> _TipSoFar:
    assert unit.proven is not None and unit.rejected is not None, "both versions were found"
    good = node_at(node_of(versions.proven, unit.proven), part)
    bad = node_at(node_of(versions.rejected, unit.rejected), part)
    found = list(differences(good, bad, part, part))
    if not found:
        return draft
    if unit.tip is None:
        raise _Moved(f"{' '.join(unit.rejected.key)} is no longer in the source")
    # Removed parts come last in `found`: putting them back first keeps a list from running empty on the way.
    for difference in reversed(found):
        draft = _edit_one(versions, replace(unit, parts=(part,)), difference, draft)
    return draft


def _edit_one(versions: Versions, unit: _Unit, difference: Difference, draft: _TipSoFar) -> _TipSoFar:
    assert unit.tip is not None, "the caller looked"
    tip = draft.tip.find(*unit.tip.key)
    if tip is None:
        raise EditRefused(f"{' '.join(unit.tip.key)} could no longer be read after a part of the edit")
    step = _DifferenceEdit(versions, replace(unit, tip=tip), difference, draft.tip, _whole(draft.tip, tip))
    content = step.content()
    if content is None:
        return draft
    edited = replace_files(draft.tip, {tip.file: content})
    if edited.files[tip.file].problems:
        raise EditRefused(f"the edited {edited.files[tip.file].problems[0]}")
    now = edited.find(*tip.key)
    moved = template_differences((draft.tip, tip), (edited, now), unit.parts[0])
    fields = changed_fields(tip, now, moved)
    return _TipSoFar(edited, (*draft.fields, *fields), draft.touched | {tip.file})


def _on_one_line(node: ScalarNode) -> bool:
    return node.style not in ("|", ">") and node.line == node.last_line


def _whole(parsed: Parsed, located: Located) -> Node:
    node = node_of(parsed, located)
    assert node is not None, "a manifest has a node"
    return node


@dataclass(frozen=True, slots=True)
class _DifferenceEdit:
    """One difference to take back at the tip as it is now."""

    versions: Versions
    unit: _Unit
    difference: Difference
    parsed: Parsed
    root: Node

    def content(self) -> bytes | None:
        """The file with this difference taken back, None where that is so already. Raises _Moved or Refused."""
        old, new = self.difference.old, self.difference.new
        if old is None:
            return self._remove()
        if new is None:
            return self._insert()
        return self._set(old, new)

    def _set(self, old: Node, new: Node) -> bytes | None:
        path = self._at_tip(self.difference.new_path)
        node = node_at(self.root, path) if path is not None else None
        if node is None or path is None:
            raise _Moved(f"{self._name(self.difference.new_path)} is gone from the branch")
        if text_or_value(node, path) == text_or_value(old, path):
            return None
        self._expect(node, path, new)
        here = (*self._tip.root, *path)
        if isinstance(node, ScalarNode) and isinstance(old, ScalarNode) and _on_one_line(node) and _on_one_line(old):
            text = path[-1] == "image" or isinstance(scalar_value(old), str)
            return splice(self._bytes, ScalarEdit(self._tip.document, here, node.text, old.text, text))
        return replace_lines(self._proven(self.difference.old_path), Part(self._bytes, self._tip.document, here))

    def _remove(self) -> bytes | None:
        path = self._at_tip(self.difference.new_path)
        if path is None:
            return None
        node = node_at(self.root, path)
        assert self.difference.new is not None and node is not None, "the part was added and is at the tip"
        self._expect(node, path, self.difference.new)
        return remove_lines(Part(self._bytes, self._tip.document, (*self._tip.root, *path)))

    def _insert(self) -> bytes | None:
        proven = self.unit.proven
        assert proven is not None and self.difference.old is not None, "the part was removed"
        source = _whole(self.versions.proven, proven)
        path = same_identity(source, self.difference.old_path, self.root)
        if path is not None:
            node = node_at(self.root, path)
            if node is not None and text_or_value(node, path) == text_or_value(self.difference.old, path):
                return None
            raise _Moved(f"{self._name(self.difference.old_path)} was set again on the branch")
        parent = self._at_tip(self.difference.new_path)
        if parent is None:
            raise _Moved(f"{self._name(self.difference.new_path)} is gone from the branch")
        return insert_lines(self._proven(self.difference.old_path), Part(self._bytes, self._tip.document, (*self._tip.root, *parent)))

    def _proven(self, path: FieldPath) -> Part:
        proven = self.unit.proven
        assert proven is not None, "the caller looked"
        return Part(self.versions.proven.files[proven.file].content, proven.document, (*proven.root, *path))

    @property
    def _tip(self) -> Located:
        assert self.unit.tip is not None, "the caller looked"
        return self.unit.tip

    @property
    def _bytes(self) -> bytes:
        return self.parsed.files[self._tip.file].content

    def _at_tip(self, path: FieldPath) -> FieldPath | None:
        assert self.unit.rejected is not None, "the caller looked"
        return same_identity(_whole(self.versions.rejected, self.unit.rejected), path, self.root)

    def _expect(self, node: Node, path: FieldPath, rejected: Node) -> None:
        if canonical(text_or_value(node, path)) != canonical(text_or_value(rejected, path)):
            raise _Moved(f"{self._name(path)} is no longer the rejected value")

    def _name(self, path: FieldPath) -> str:
        return f"{self._tip.file}: {'.'.join(map(str, path))}"
