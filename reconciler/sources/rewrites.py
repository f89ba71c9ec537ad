"""The edit that leads back where manifests are rendered: in the files that they are made from, found by rendering (ADR 0031). Pure.

Every value of an input file that moved since the previous version is a candidate. Which of them count for a workload is asked of the
renderer: one is taken back at the tip and the files are rendered again. Those that count are taken back together, compared and set, and the
proof is the same as for plain files: the rendered workload equals the previous version and nothing else moves.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.git.objects import SourceProblem
from reconciler.sources.documents import Parsed
from reconciler.sources.edits import (
    Caution,
    Direct,
    Edit,
    Impossible,
    Obstacle,
    Outcome,
    Overtaken,
    PreviousManifest,
    ProposedEdit,
    Superseded,
    Waiting,
)
from reconciler.sources.encryption import encrypted
from reconciler.sources.model import HIDDEN, ChangedField, FieldLocation, WorkloadId
from reconciler.sources.references import Named
from reconciler.sources.sealed import sealed_content, sealed_field
from reconciler.sources.templates import Workload, identity, referenced_config, workloads
from reconciler.yamledit.changes import ABSENT, Moved, PartChange, changes, undone
from reconciler.yamledit.differences import canonical
from reconciler.yamledit.hunks import Hunk, hunks, taken_back
from reconciler.yamledit.lines import Part
from reconciler.yamledit.nodes import Document, FieldPath, NotYaml, compose_each, decode, leaves, node_at
from reconciler.yamledit.pieces import rewritten
from reconciler.yamledit.splice import EditRefused
from reconciler.yamledit.values import value_of

MOST_CANDIDATES = 24
"""More values than these are tried a file at a time: each try is a rendering."""
TEXTS = (".jsonnet", ".libsonnet")
"""Files that are taken back by lines, although YAML may read some of them."""
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Rendering:
    """A question: what does the tip render to with these files in place of its own? The answer is a Parsed."""

    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Affected:
    """A question: which other folders of the repository would ask for something else with these files? The answer are their names."""

    files: Mapping[str, bytes]


Question = Rendering | Affected
Questions = Generator[Question, Any, Outcome]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Some values of one document that moved between two versions of a file, or some lines of one that is no YAML (`document` is -1)."""

    file: str
    document: int
    parts: tuple[PartChange, ...] = ()
    lines: tuple[Hunk, ...] = ()
    sealed: bool = False  # all of an encrypted file: what encrypts it covers every byte
    secret: bool = True
    """True until a rendering without it has shown that no Secret is made from it: its values are not shown."""


@dataclass(frozen=True, slots=True)
class _Versions:
    """One workload in three versions of its source."""

    id: WorkloadId
    previous: Parsed
    rejected: Parsed
    tip: Parsed

    def asked(self, parsed: Parsed) -> str:
        """What a version asks to run; empty for one without the workload."""
        found = workloads(parsed).get(self.id)
        return identity(parsed, found) if found is not None else ""


@dataclass(frozen=True, slots=True)
class _Taken:
    """The files of the tip with some candidates taken back."""

    files: Mapping[str, bytes]
    fields: tuple[ChangedField, ...]
    reworded: bool = False


def rewrites(previous: Parsed | PreviousManifest, rejected: Parsed | None, tip: Parsed, workload: WorkloadId) -> Questions:
    """What to write into the files of a rendered source so that it asks for the previous version of one workload again.

    A generator: it asks for renderings and is sent what they gave; its return value is the outcome.
    """
    if not isinstance(previous, Parsed):
        return Impossible(Obstacle.NO_PREVIOUS, "its commit is gone from history, and only its files say how to write it")
    versions = _Versions(workload, previous, rejected or tip, tip)
    early = _early(versions)
    if early is not None:
        return early
    candidates, moved = _applicable(versions, _bounded(list(_candidates(previous.inputs, versions.rejected.inputs))))
    if not candidates:
        return _nothing_to_take_back(versions, moved)
    found = yield from _relevant(versions, candidates)
    best: Outcome | None = None
    for chosen in found:
        outcome = yield from _tried(versions, chosen)
        if isinstance(outcome, Direct):
            return outcome
        best = _better(best, outcome)
    return best or _nothing_to_take_back(versions, moved)


def _early(versions: _Versions) -> Outcome | None:
    """The outcome where nothing is to be edited."""
    if not versions.asked(versions.previous):
        return Impossible(Obstacle.NO_PREVIOUS)
    if not versions.asked(versions.rejected):
        return Impossible(Obstacle.NO_REJECTED)
    if versions.tip.unreadable:
        return Waiting(versions.tip.problems[0])
    if not versions.asked(versions.tip):
        return Superseded(Overtaken.REMOVED)
    return Superseded(Overtaken.RESTORED) if versions.asked(versions.tip) == versions.asked(versions.previous) else None


def _nothing_to_take_back(versions: _Versions, moved: Sequence[str]) -> Outcome:
    """The tip asks for something else than both versions, or what made the difference is in no file."""
    if moved or versions.asked(versions.rejected) != versions.asked(versions.tip):
        return Superseded(Overtaken.CHANGED, ", ".join(moved))
    return Impossible(Obstacle.UNWRITABLE, "no value of any file behind this workload says what made the difference")


def _better(known: Outcome | None, found: Outcome | None) -> Outcome | None:
    """A proposal is better than words; of two alike the one of fewer values."""
    if known is None or (isinstance(found, ProposedEdit) and not isinstance(known, ProposedEdit)):
        return found
    return known


def moved_objects(before: Parsed, after: Parsed) -> list[str]:
    """The objects that two renderings of one folder have differently; the folder itself where one of them fails."""
    if before.unreadable or after.unreadable:
        return [] if list(map(str, before.problems)) == list(map(str, after.problems)) else ["everything"]
    old, new = _said(before), _said(after)
    return [_named(key) for key in sorted({*old, *new}) if old.get(key) != new.get(key)]


def _said(parsed: Parsed) -> dict[Named, list[str]]:
    """What each object says, hooks included; those whose names are to be generated are one."""
    said: dict[Named, list[str]] = {}
    for located in (*parsed.manifests, *parsed.hooks):
        said.setdefault(located.key, []).append(canonical(located.manifest))
    return said


def _named(key: Named) -> str:
    return " ".join((key[0], "/".join(filter(None, key[1:]))))


# --- what may have made the difference ---


def _candidates(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[_Candidate]:
    """Values that differ, file by file; a file that only one version is made from is no value: what names it is."""
    for name in sorted(old.keys() & new.keys()):
        if old[name] == new[name]:
            continue
        if encrypted(old[name]) or encrypted(new[name]):
            yield _Candidate(name, -1, sealed=True)
            continue
        pairs = None if name.endswith(TEXTS) else _documents(old[name], new[name])
        if pairs is None:
            yield from (_Candidate(name, -1, lines=(hunk,)) for hunk in hunks(old[name], new[name]))
            continue
        for document, (before, after) in enumerate(pairs):
            yield from (_Candidate(name, document, (part,)) for part in changes(before, after))


def _bounded(found: list[_Candidate]) -> list[_Candidate]:
    """Few enough to try one by one: all values of a document are one candidate where there are too many."""
    if len(found) <= MOST_CANDIDATES:
        return found
    together: dict[tuple[str, int], _Candidate] = {}
    for one in found:
        known = together.get((one.file, one.document))
        joined = replace(known, parts=(*known.parts, *one.parts), lines=(*known.lines, *one.lines)) if known else one
        together[one.file, one.document] = joined
    return list(together.values())


def _documents(old: bytes, new: bytes) -> list[tuple[Any, Any]] | None:
    """The values of each document in both versions; None where the two are no YAML of equally many documents."""
    try:
        before, after = _values(old), _values(new)
    except NotYaml:
        return None
    if len(before) != len(after) or any(not isinstance(value, dict | list) for value in (*before, *after)):
        return None
    return list(zip(before, after, strict=True))


def _values(content: bytes) -> list[Any]:
    return [_value(document) for document in compose_each(decode(content))]


def _value(document: Document) -> Any:
    if document.problem is not None:
        raise document.problem
    return value_of(document.root) if document.root is not None else None


def _applicable(versions: _Versions, candidates: Iterable[_Candidate]) -> tuple[list[_Candidate], list[str]]:
    """The candidates that can be taken back at the tip one by one, and where it holds another value by now."""
    found, moved = [], []
    for candidate in candidates:
        try:
            taken = _taken(versions, (candidate,))
        except Moved as elsewhere:
            moved.append(f"{candidate.file}: {elsewhere}".rstrip(": "))
        except (EditRefused, NotYaml):
            continue
        else:
            if taken.files:
                found.append(candidate)
    return found, moved


def _relevant(versions: _Versions, candidates: Sequence[_Candidate]) -> Generator[Question, Any, list[list[_Candidate]]]:
    """What to take back together, in the order to try: the candidates that the workload feels or that belong to others, as the rendering
    breaks without them; those that it feels alone, where a file moved beside them; all. Each knows if a Secret feels it (unknown: yes).
    """
    ways: list[list[_Candidate]] = [[], [], []]
    for candidate in candidates:
        after: Parsed = yield Rendering(_taken(versions, (candidate,)).files)
        broken = bool(_broken(versions, after))
        tried = replace(candidate, secret=broken or _secrets(after) != _secrets(versions.tip))
        felt = not broken and versions.asked(after) != versions.asked(versions.tip)
        for way, counts in zip(ways, (broken or felt, felt, True), strict=True):
            way += [tried] if counts else []
    return [way for at, way in enumerate(ways) if way and way not in ways[:at]]


def _secrets(parsed: Parsed) -> dict[Named, str]:
    """What the Secrets of a rendering hold."""
    return {located.key: canonical(located.manifest) for located in (*parsed.manifests, *parsed.hooks) if located.key[0] == "Secret"}


# --- the edit and its proof ---


def _tried(versions: _Versions, chosen: Sequence[_Candidate]) -> Generator[Question, Any, Outcome]:
    try:
        taken = _taken(versions, chosen)
    except Moved as moved:
        return Superseded(Overtaken.CHANGED, str(moved))
    except (EditRefused, NotYaml) as refused:
        return Impossible(Obstacle.UNWRITABLE, str(refused))
    after: Parsed = yield Rendering(taken.files)
    edit = Edit(taken.files, taken.fields)
    broken = _broken(versions, after)
    if broken or not versions.asked(after):
        return Impossible(Obstacle.UNWRITABLE, "; ".join(map(str, broken[:1])) or "the workload would be gone")
    moved_too = _strangers(versions, after)
    if versions.asked(after) == versions.asked(versions.tip):
        return _nothing_to_take_back(versions, ())
    others: Sequence[str] = yield Affected(taken.files)
    if moved_too or others:
        return ProposedEdit(edit, Caution.SHARED, ", ".join((*moved_too, *others)))
    if versions.asked(after) != versions.asked(versions.previous):
        same = versions.asked(versions.rejected) == versions.asked(versions.tip)
        return ProposedEdit(edit, Caution.ORDER if same else Caution.FURTHER)
    return ProposedEdit(edit, Caution.REWORDED) if taken.reworded else Direct(edit)


def _broken(versions: _Versions, after: Parsed) -> list[SourceProblem]:
    """What an edit would break; what is as wrong without it is not its doing."""
    known = set(map(str, versions.tip.problems))
    return [problem for problem in after.problems if str(problem) not in known]


def _strangers(versions: _Versions, after: Parsed) -> list[str]:
    """The objects beside the workload and its config that an edit would move too."""
    own = {part for parsed in (versions.tip, after) for part in _own(parsed, workloads(parsed)[versions.id])}
    return [name for name in moved_objects(versions.tip, after) if name not in own]


def _own(parsed: Parsed, workload: Workload) -> set[str]:
    return {_named(located.key) for located in (workload.template, *referenced_config(parsed, workload))}


def _taken(versions: _Versions, chosen: Sequence[_Candidate]) -> _Taken:
    """The tip with some candidates taken back, compared and set. Raises Moved, EditRefused or NotYaml."""
    files: dict[str, bytes] = {}
    fields: list[ChangedField] = []
    reworded = False
    for name in dict.fromkeys(candidate.file for candidate in chosen):
        whole = [candidate for candidate in chosen if candidate.file == name]
        content, anew = _file_taken(versions, name, whole)
        if content != versions.tip.inputs.get(name):
            files[name], reworded = content, reworded or anew
            fields += [field for candidate in whole for field in _fields(versions, candidate)]
    return _Taken(files, tuple(fields), reworded)


def _file_taken(versions: _Versions, name: str, chosen: Sequence[_Candidate]) -> tuple[bytes, bool]:
    """The bytes of one file of the tip with its candidates taken back, and whether some are in our own words."""
    previous, rejected = versions.previous.inputs[name], versions.rejected.inputs[name]
    if name not in versions.tip.inputs:
        raise Moved(())
    content, reworded = versions.tip.inputs[name], False
    if chosen[0].sealed:
        return sealed_content(name, (previous, rejected, content)), False
    if chosen[0].document < 0:
        return taken_back(rejected, [hunk for candidate in chosen for hunk in candidate.lines], content), False
    old, new = _values(previous), _values(rejected)
    for document in sorted({candidate.document for candidate in chosen}):
        parts = [part for candidate in chosen if candidate.document == document for part in candidate.parts]
        now = _values(content)
        if document >= len(now):
            raise Moved(())
        wanted = undone((old[document], new[document]), parts, now[document])
        try:
            result = rewritten(Part(content, document, ()), wanted, Part(previous, document, ()))
        except EditRefused:
            if content != rejected or [wanted] != old:
                raise
            return previous, False  # Nothing else is in the file, so that its bytes are the smallest edit.
        content, reworded = result.content, reworded or result.reworded
    return content, reworded


# --- words ---


def _fields(versions: _Versions, candidate: _Candidate) -> Iterator[ChangedField]:
    """The values that an edit moves, where they stand: from what the rejected version says to what the previous one said."""
    before, after = versions.rejected.inputs[candidate.file], versions.previous.inputs[candidate.file]
    if candidate.sealed:
        yield sealed_field(candidate.file)
        return
    if candidate.document < 0:
        yield from (_lines(candidate, hunk) for hunk in candidate.lines)
        return
    rejected, previous = (compose_each(decode(content))[candidate.document] for content in (before, after))
    for part in candidate.parts:
        was = _place(candidate, rejected, part.new_path) if part.new is not ABSENT else None
        becomes = _place(candidate, previous, part.old_path) if part.old is not ABSENT else None
        secret = candidate.secret or _holds_secrets(rejected, part.new_path) or _holds_secrets(previous, part.old_path)
        yield ChangedField(_text(rejected, part.new_path, was, secret), _text(previous, part.old_path, becomes, secret), was, becomes)


def _lines(candidate: _Candidate, hunk: Hunk) -> ChangedField:
    """A run of lines that moves, without the space around it."""
    sides = ((hunk.new, hunk.new_start), (hunk.old, hunk.old_start))
    places = [FieldLocation(candidate.file, 0, (), start + 1, 1) if text else None for text, start in sides]
    texts = [_shown(b"".join(text).decode(errors="replace").strip(), candidate.secret) if text else None for text, _start in sides]
    return ChangedField(texts[0], texts[1], places[0], places[1])


def _shown(text: str, secret: bool) -> str:
    """What people are shown of a value."""
    if secret:
        return HIDDEN
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _place(candidate: _Candidate, document: Document, path: FieldPath) -> FieldLocation:
    node = node_at(document.root, path)
    return FieldLocation(candidate.file, candidate.document, path, node.line if node else 1, node.column if node else 1)


def _text(document: Document, path: FieldPath, place: FieldLocation | None, secret: bool) -> str | None:
    if place is None:
        return None
    node = node_at(document.root, path)
    if secret or node is None:
        return HIDDEN
    text = ", ".join(getattr(leaf.node, "text", "") for leaf in leaves(Document(0, node, frozenset())))
    return _shown(text, "kind: Secret" in text)


def _holds_secrets(document: Document, path: FieldPath) -> bool:
    """True for what becomes a Secret: its data, wherever it is written."""
    kind = node_at(document.root, ("kind",))
    return getattr(kind, "text", "") == "Secret" or "secretGenerator" in path
