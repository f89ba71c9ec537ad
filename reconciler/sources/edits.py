"""The edit that leads back to the previous version: every value of one workload's template and config, compared and set at the branch tip.

Not a `git revert`: other people's changes in the same commit or file stay (ADR 0012). The outcome is data; `words` tells it to people.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.git.objects import SourceProblem
from reconciler.kernel.identity import Manifest
from reconciler.sources.changes import changed_fields, template_differences
from reconciler.sources.documents import Located, Parsed, replace_files
from reconciler.sources.images import template_path
from reconciler.sources.model import ChangedField, WorkloadId
from reconciler.sources.references import Named
from reconciler.sources.sealed import put_back
from reconciler.sources.strays import strays
from reconciler.sources.templates import CONFIG_PARTS, Workload, content_of, identity, identity_of, referenced_config, workloads
from reconciler.yamledit.changes import ABSENT, Moved, part_at, put, taken_back
from reconciler.yamledit.differences import canonical
from reconciler.yamledit.lines import Part
from reconciler.yamledit.nodes import NotYaml
from reconciler.yamledit.pieces import rewritten
from reconciler.yamledit.splice import EditRefused


@dataclass(frozen=True, slots=True)
class Edit:
    """The new bytes per file, and the values that move."""

    files: Mapping[str, bytes]
    fields: tuple[ChangedField, ...]


class Caution(StrEnum):
    """Why an edit may not be pushed without review."""

    PREVIOUS_GONE = "the commit of the previous version is gone from history; the edit follows the manifest that was kept"
    SHARED = "the edit would also change"
    FURTHER = "the branch has further changes to this workload since the rejected version"
    ORDER = "a list would be in another order than in the previous version"
    REWORDED = "a part of the previous version had to be written in other words than its author's"


class Overtaken(StrEnum):
    """How a cleanly read tip asks for something else than the rejected version."""

    RESTORED = "the branch already asks for the previous version"
    CHANGED = "the branch holds another value"
    REMOVED = "it is no longer in the source"


class Obstacle(StrEnum):
    """Why no edit of ours would do it."""

    NO_PREVIOUS = "it has no previous version in this source"
    NO_REJECTED = "it has no rejected version in this source"
    ORDER = "the rejected version differs from the previous one only in the order of a list"
    UNWRITABLE = "the edit cannot be written"
    GENERATED = "the branch is written by a hydrator, which would write over it"


@dataclass(frozen=True, slots=True)
class Direct:
    """The edited tip asks for exactly the previous version, and nothing else moves: it may be pushed."""

    edit: Edit


@dataclass(frozen=True, slots=True)
class ProposedEdit:
    """An edit that a person should look at; `detail` names what the caution is about."""

    edit: Edit
    caution: Caution
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Superseded:
    """The cleanly read tip asks for something else for this workload: nothing to write. `place` says where."""

    how: Overtaken
    place: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the tip asks for cannot be read; ask again when the branch moves."""

    problem: SourceProblem


@dataclass(frozen=True, slots=True)
class Impossible:
    """No edit of ours would do it; a person has to."""

    obstacle: Obstacle
    detail: str = ""


Outcome = Direct | ProposedEdit | Superseded | Waiting | Impossible


@dataclass(frozen=True, slots=True)
class PreviousManifest:
    """The previous version as data, for when its commit is gone: the pod template, and the content of its config by kind and name.

    A content holds `data`, `stringData` and `binaryData` as the manifests had them.
    """

    template: Mapping[str, Any]
    config: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Unit:
    """One object that the workload consists of: its parts that count in three versions, and the text to take pieces from."""

    tip: Located
    previous: Any
    rejected: Any
    model: Part | None


@dataclass(frozen=True, slots=True)
class _TipSoFar:
    """The tip after the edits so far, what moved, and whether some piece is in our own words."""

    tip: Parsed
    fields: tuple[ChangedField, ...] = ()
    touched: frozenset[str] = frozenset()
    reworded: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """One workload in three versions. `rejected` is the tip itself where the rejected version is not known any more."""

    id: WorkloadId
    previous: Parsed | PreviousManifest
    rejected: Parsed
    tip: Parsed

    @property
    def now(self) -> Workload:
        return workloads(self.tip)[self.id]

    @property
    def previous_identity(self) -> str:
        if isinstance(self.previous, Parsed):
            return identity(self.previous, workloads(self.previous)[self.id])
        config = {(kind, self.id.namespace, name): content for (kind, name), content in self.previous.config.items()}
        return identity_of(self.previous.template, config)

    @property
    def rejected_at_tip(self) -> bool:
        return identity(self.rejected, workloads(self.rejected)[self.id]) == identity(self.tip, self.now)


def restore_edits(previous: Parsed | PreviousManifest, rejected: Parsed | None, tip: Parsed, workload: WorkloadId) -> Outcome:
    """What to write at the tip so that it asks for the previous version of one workload again.

    With `rejected` each value is compared with the rejected one before it is set, and another value supersedes the edit. Without it every
    value that differs from the previous version is set. A previous version without its commit is always a proposal.
    """
    if isinstance(previous, Parsed) and workload not in workloads(previous):
        return Impossible(Obstacle.NO_PREVIOUS)
    if rejected is not None and workload not in workloads(rejected):
        return Impossible(Obstacle.NO_REJECTED)
    if workload not in workloads(tip):
        return _absent(_files(workload, previous, rejected), tip)
    answer = _answer(_Question(workload, previous, rejected or tip, tip))
    if tip.generated and isinstance(answer, Direct | ProposedEdit):
        return Impossible(Obstacle.GENERATED, tip.generated)
    return answer


def words(outcome: Outcome) -> str:
    """An outcome in a sentence for people."""
    match outcome:
        case Direct():
            return ""
        case ProposedEdit(_edit, caution, detail):
            return f"{caution} {detail}".rstrip()
        case Superseded(how, place):
            return f"{place}: {how}" if place else str(how)
        case Waiting(problem):
            return str(problem)
        case Impossible(obstacle, detail):
            return f"{obstacle}: {detail}" if detail else str(obstacle)


def _answer(question: _Question) -> Outcome:
    contested = [problem for unit in _located(question.tip, question.now) if (problem := _contest(question.tip, unit))]
    if contested:
        return Waiting(contested[0])
    if identity(question.tip, question.now) == question.previous_identity:
        return Superseded(Overtaken.RESTORED)
    try:
        draft = _edited(question)
    except _Unreadable as unreadable:
        return unreadable.outcome
    except (EditRefused, NotYaml) as refused:
        return Impossible(Obstacle.UNWRITABLE, str(refused))
    if not draft.touched:
        return Impossible(Obstacle.ORDER) if question.rejected_at_tip else Superseded(Overtaken.CHANGED)
    return _judged(question, draft)


def _judged(question: _Question, draft: _TipSoFar) -> Outcome:
    edit = Edit({name: draft.tip.files[name].content for name in sorted(draft.touched)}, draft.fields)
    moved = strays(question.tip, draft.tip, question.id)
    if moved is None:
        return Impossible(Obstacle.UNWRITABLE, "other objects of the source would change")
    if moved:
        return ProposedEdit(edit, Caution.SHARED, ", ".join(moved))
    if isinstance(question.previous, PreviousManifest):
        return ProposedEdit(edit, Caution.PREVIOUS_GONE)
    if identity(draft.tip, workloads(draft.tip)[question.id]) != question.previous_identity:
        return ProposedEdit(edit, Caution.ORDER if question.rejected_at_tip else Caution.FURTHER)
    return ProposedEdit(edit, Caution.REWORDED) if draft.reworded else Direct(edit)


# --- what cannot be read ---


class _Unreadable(Exception):
    """A part of the workload that cannot be edited because of what the tip says; carries the outcome."""

    def __init__(self, outcome: Superseded | Waiting) -> None:
        super().__init__()
        self.outcome = outcome


def _files(workload: WorkloadId, previous: Parsed | PreviousManifest, rejected: Parsed | None) -> list[str]:
    """The files that the workload was read from, where that is known."""
    known = [parsed for parsed in (rejected, previous) if isinstance(parsed, Parsed)]
    return [part.file for parsed in known[:1] for part in (workloads(parsed)[workload].owner, workloads(parsed)[workload].template)]


def _absent(files: list[str], tip: Parsed) -> Superseded | Waiting:
    """What it means that an object of these files is not at the tip: only a cleanly read tip says that it was taken away."""
    problem = next((problem for problem in tip.problems if problem.file in files), None)
    missing = next((name for name in files if name not in tip.files), None)
    if problem is None and missing is not None:
        problem = SourceProblem(missing, 0, "the file is missing on the branch", "put it back, or lift the hold")
    problem = problem or next(iter(tip.problems), None)
    return Waiting(problem) if problem is not None else Superseded(Overtaken.REMOVED)


def _contest(tip: Parsed, located: Located) -> SourceProblem | None:
    if not tip.contested(located):
        return None
    claims = [other for other in tip.manifests if other.claim == located.claim]
    files = {other.file for other in claims}
    return next((problem for problem in tip.problems if problem.file in files and " is also in " in str(problem)), None) or SourceProblem(
        located.file, located.line, f"{' '.join(located.key)} is written more than once", "keep one of them"
    )


def _located(parsed: Parsed, workload: Workload) -> tuple[Located, ...]:
    return (workload.owner, workload.template, *referenced_config(parsed, workload))


# --- the edit ---


def _edited(question: _Question) -> _TipSoFar:
    draft = _TipSoFar(question.tip)
    for unit in _units(question):
        wanted = _wanted(unit)
        if canonical(wanted) == canonical(unit.tip.stated):
            continue
        if _sealed(question, unit):
            draft = _put_back(question, draft, unit)
            continue
        draft = _write(draft, unit, wanted)
    return draft


def _write(draft: _TipSoFar, unit: _Unit, wanted: Manifest) -> _TipSoFar:
    """The draft with one object as wanted. Another object of the same file may have moved it, never away."""
    before = draft.tip.find(*unit.tip.key)
    assert before is not None, "a proven edit keeps every object"
    content = draft.tip.files[before.file].content
    result = rewritten(Part(content, before.document, before.root), wanted, unit.model)
    if result.content == content:
        return draft
    edited = replace_files(draft.tip, {before.file: result.content})
    now = edited.find(*unit.tip.key)
    moved = (field for part in _parts(unit.tip) for field in _moved_fields((draft.tip, before), (edited, now), part))
    return _TipSoFar(edited, (*draft.fields, *moved), draft.touched | {before.file}, draft.reworded or result.reworded)


def _sealed(question: _Question, unit: _Unit) -> bool:
    """True where the object is, or was, in an encrypted file: its values must not reach any other bytes."""
    versions = (version for version in (question.tip, question.rejected, question.previous) if isinstance(version, Parsed))
    return any(known.files[found.file].sealed for known in versions if (found := known.find(*unit.tip.key)))


def _put_back(question: _Question, draft: _TipSoFar, unit: _Unit) -> _TipSoFar:
    if not isinstance(question.previous, Parsed):
        raise EditRefused(f"{unit.tip.file} is encrypted with SOPS, and how it was is gone from history: put its values back with `sops`")
    edited = put_back(question.previous, question.rejected, draft.tip, unit.tip.file)
    places = ((question.tip, unit.tip), (edited, edited.find(*unit.tip.key)))
    moved = (field for part in _parts(unit.tip) for field in _moved_fields(*places, part))
    return _TipSoFar(edited, (*draft.fields, *moved), draft.touched | {unit.tip.file}, draft.reworded)


def _moved_fields(before: tuple[Parsed, Located], after: tuple[Parsed, Located | None], part: tuple[str, ...]) -> tuple[ChangedField, ...]:
    return changed_fields(before[1], after[1], template_differences(before, after, part))


def _parts(located: Located) -> tuple[tuple[str, ...], ...]:
    path = template_path(located.key[0])
    return tuple((part,) for part in CONFIG_PARTS) if path is None else (tuple(map(str, path)),)


def _wanted(unit: _Unit) -> Manifest:
    """The object at the tip, as its file says it, with the rejected change taken back."""
    template, stated = template_path(unit.tip.key[0]), unit.tip.stated
    try:
        if template is not None:
            return dict(put(stated, template, taken_back(unit.previous, unit.rejected, part_at(stated, template))))
        content = taken_back(unit.previous, unit.rejected, content_of(stated))
    except Moved as moved:
        path = ".".join(map(str, (*(template or ()), *moved.path)))
        raise _Unreadable(Superseded(Overtaken.CHANGED, f"{unit.tip.file}: {path}")) from moved
    wanted: Any = stated
    for part in CONFIG_PARTS:
        if part in content or wanted.get(part):
            wanted = put(wanted, (part,), content.get(part, ABSENT))
    return dict(wanted)


def _units(question: _Question) -> Iterator[_Unit]:
    """The objects to write: the template, and config that both versions refer to.

    Where only one refers to an object, putting the reference back is the whole edit.
    """
    template = question.now.template
    path = template_path(template.key[0]) or ()
    bad = workloads(question.rejected)[question.id]
    if isinstance(question.previous, PreviousManifest):
        yield _Unit(template, question.previous.template, part_at(bad.template.manifest, path), None)
    else:
        good = workloads(question.previous)[question.id]
        yield _Unit(template, good.pod_template, bad.pod_template, _model(question.previous, good.template))
    for key in sorted(_config_keys(question, bad)):
        yield from _config_unit(question, key)


def _config_keys(question: _Question, bad: Workload) -> set[Named]:
    keys = {located.key for located in referenced_config(question.rejected, bad)}
    if isinstance(question.previous, Parsed):
        good = workloads(question.previous)[question.id]
        return keys | {located.key for located in referenced_config(question.previous, good)}
    return keys | {(kind, question.id.namespace, name) for kind, name in question.previous.config}


def _config_unit(question: _Question, key: Named) -> Iterator[_Unit]:
    previous, model = _previous_content(question.previous, key)
    rejected, tip = question.rejected.find(*key), question.tip.find(*key)
    if previous is None or rejected is None:
        return
    if tip is None:
        if canonical(previous) != canonical(content_of(rejected.manifest)):
            raise _Unreadable(_absent([rejected.file], question.tip))
        return
    yield _Unit(tip, previous, content_of(rejected.manifest), model)


def _previous_content(previous: Parsed | PreviousManifest, key: Named) -> tuple[Mapping[str, Any] | None, Part | None]:
    if isinstance(previous, PreviousManifest):
        return previous.config.get((key[0], key[2])), None
    located = previous.find(*key)
    return (content_of(located.manifest), _model(previous, located)) if located is not None else (None, None)


def _model(previous: Parsed, located: Located) -> Part:
    return Part(previous.files[located.file].content, located.document, located.root)
