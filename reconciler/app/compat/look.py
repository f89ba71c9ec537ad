"""Existing manifests, field by field: the same here as with Argo Rollouts, stricter, better or unsupported."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.app.compat.rows import Likeness, Member, Path, rows
from reconciler.app.lint.finding import Remark, Severity
from reconciler.app.lint.lines import line_of
from reconciler.app.lint.shapes import ROWS, misshapen
from reconciler.experiments.manifest import parse_experiment
from reconciler.experiments.validation import experiment_problem
from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import InvalidField, Problem
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.rollouts.validation.spec import spec_problem
from reconciler.rollouts.validation.types import unreadable_problem
from reconciler.routers.registry import ROUTERS
from reconciler.sources.documents import Located, Parsed, node_of

KINDS = frozenset({"Rollout", "Experiment", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"})
GROUP = "argoproj.io/"
WHOLE = frozenset({"template", "selector", "job", "config", "annotations", "labels"})
"""Members that are not taken apart: pods, selectors and what a plug-in is given are the API's, or the plug-in's."""
SIMPLE = re.compile(r"[^.\[\]']+")
DEEPEST = 40
UNKNOWN = "no such field: dropped there, ignored here, and an error of lint"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldWord:
    """What is to be said of one field; `row` leads to its row on the page of compatibility."""

    likeness: Likeness
    file: str
    line: int
    object: str
    field: str
    why: str = ""
    row: str = ""

    def __str__(self) -> str:
        told = f": {self.why} ({self.row})" if self.row else f": {self.why}" if self.why else ""
        return f"{self.file}:{self.line}: {self.likeness}: {self.object}: {self.field}{told}"


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Every field of every object of Argo's, in the order of files and lines; `unread` are the files that could not be looked at."""

    objects: int
    fields: tuple[FieldWord, ...]
    unread: tuple[str, ...]

    def of(self, likeness: Likeness) -> tuple[FieldWord, ...]:
        return tuple(word for word in self.fields if word.likeness is likeness)


def compatibility(parsed: Parsed) -> Compatibility:
    """What is to be said of the Argo objects among these files; all others are none of our business."""
    ours = [one for one in parsed.manifests if one.key[0] in KINDS and str(one.manifest["apiVersion"]).startswith(GROUP)]
    words = [word for located in ours for word in _object(parsed, located)]
    words.sort(key=lambda word: (word.file, word.line, word.field))
    return Compatibility(len(ours), tuple(words), tuple(str(problem) for problem in parsed.problems))


def _object(parsed: Parsed, located: Located) -> Iterator[FieldWord]:
    kind, namespace, name = located.key
    subject = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    root = node_of(parsed, located)
    for said in _said(kind, located.manifest):
        line = line_of(root, said.field)
        yield FieldWord(likeness=said.likeness, file=located.file, line=line, object=subject, field=said.field, why=said.why, row=said.row)


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one field of an object."""

    field: str
    likeness: Likeness
    why: str = ""
    row: str = ""


def _said(kind: str, manifest: Manifest) -> Iterator[Said]:
    """The rows that speak of each field; a single value of which none does is the same, and so is what both refuse."""
    misfits = [one for one in misshapen(kind, manifest) if one.severity is Severity.ERROR] if kind in ROWS else []
    yield from (Said(one.field, Likeness.SAME, UNKNOWN) for one in misfits if one.unknown)
    problems, told = _refusals(kind, manifest, [one for one in misfits if not one.unknown]), set[str]()
    for member in _members(manifest, problems):
        found = [row for row in rows() if any(at.holds(kind, member) for at in row.at)]
        field = text_of(member.path)
        yield from (Said(field, row.likeness, row.why, row.link) for row in found)
        if member.refused and any(row.likeness is not Likeness.BETTER for row in found):
            told.update(str(problem) for problem in problems if _is_about(member.path, problem))
        if not found and not _goes_on(member) and member.path[0] == "spec":
            yield Said(field, Likeness.SAME)
    yield from (Said(one.field, Likeness.SAME, f"refused by both: {one.detail}") for one in problems if str(one) not in told)


def _members(manifest: Manifest, problems: Sequence[Problem]) -> Iterator[Member]:
    """Every annotation, and every field of the spec: objects and lists before what is in them."""
    for key, value in (manifest["metadata"].get("annotations") or {}).items():
        yield Member(("metadata", "annotations", str(key)), value)
    yield from _below(("spec",), manifest.get("spec"), problems)


def _below(path: Path, value: Any, problems: Sequence[Problem]) -> Iterator[Member]:
    member = Member(path, value, any(_is_about(path, problem) for problem in problems))
    if not isinstance(path[-1], int):
        yield member
    if _goes_on(member):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, below in inner:
            yield from _below((*path, key if isinstance(key, int) and isinstance(value, list) else str(key)), below, problems)


def _goes_on(member: Member) -> bool:
    """True of what is taken apart further."""
    return bool(member.value) and isinstance(member.value, dict | list) and member.name not in WHOLE and len(member.path) < DEEPEST


def text_of(path: Path) -> str:
    """A path as messages write it."""
    text = ""
    for part in path:
        quoted = isinstance(part, str) and not SIMPLE.fullmatch(part)
        text += f"[{part}]" if isinstance(part, int) else f"['{part}']" if quoted else f".{part}"
    return text.removeprefix(".")


def _is_about(path: Path, problem: Problem) -> bool:
    """True when the refused field is this one or one below it; messages leave out the name of the strategy (contract 12.1)."""
    whole = text_of(path)
    short = whole.replace(".canary", "", 1).replace(".blueGreen", "", 1)
    return any(problem.field == text or problem.field.startswith((f"{text}.", f"{text}[")) for text in (whole, short))


def _refusals(kind: str, manifest: Manifest, misfits: Sequence[Remark]) -> Sequence[Problem]:
    """What is refused in an object, without a look at any other: all that is misshapen, or else the first rule that is broken."""
    if misfits:
        return [Problem(one.field, one.message) for one in misfits]
    try:
        problem = _broken(kind, manifest)
    except InvalidField as error:
        problem = error.problem
    return [] if problem is None else [problem]


def _broken(kind: str, manifest: Manifest) -> Problem | None:
    if kind == "Experiment":
        return experiment_problem(parse_experiment(manifest).spec)
    if kind != "Rollout":
        return None
    spec = parse_rollout(manifest)
    if spec.workload_ref is not None:
        return None
    return unreadable_problem(spec.selector, spec.template) or spec_problem(manifest, spec, ROUTERS)
