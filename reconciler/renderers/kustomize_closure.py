"""Which files a kustomization is made from, read off the kustomizations alone: nothing is fetched, run or followed out of the tree. Pure.

Fields as kustomize 5.8 has them (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/).
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.git.objects import SourceProblem
from reconciler.yamledit.nodes import Document, FieldPath, NotYaml, compose, decode, node_at
from reconciler.yamledit.values import value_of

MARKERS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
FOLDERS_OR_FILES = ("resources", "bases", "components", "generators", "transformers", "validators")
FILES = ("patchesStrategicMerge", "crds", "configurations")
PATHS = ("patches", "patchesJson6902", "replacements")
GENERATORS = ("configMapGenerator", "secretGenerator")
REFUSED = {
    "helmCharts": "charts are not inflated by kustomize here",
    "helmChartInflationGenerator": "charts are not inflated by kustomize here",
}
REMOTE = re.compile(r"://|^git@|^git::|[?&](ref|version)=|.//|^(github\.com|gitlab\.com|bitbucket\.org)/")
MOST_FOLDERS = 200


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known of the files behind a folder: those it is made from, those to be asked for, and what cannot be used."""

    files: frozenset[str]
    folders: frozenset[str]
    missing: tuple[str, ...] = ()
    problems: tuple[SourceProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reference:
    """One name that a kustomization gives, and where."""

    file: str
    line: int
    text: str
    folder_too: bool


@dataclass(slots=True)
class _Exploration:
    """One way through the kustomizations from a folder on."""

    files: Mapping[str, bytes]
    absent: Collection[str]
    told: Mapping[str, SourceProblem]
    used: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    missing: dict[str, None] = field(default_factory=dict)
    problems: list[SourceProblem] = field(default_factory=list)


def closure(files: Mapping[str, bytes], absent: Collection[str], folder: str, told: Collection[SourceProblem] = ()) -> Inputs:
    """Everything that the kustomization of a folder is made from. `told` says why some files cannot be used."""
    walk = _Exploration(files, absent, {problem.file: problem for problem in told})
    _enter(walk, folder)
    return Inputs(frozenset(walk.used), frozenset(walk.folders), tuple(walk.missing), tuple(dict.fromkeys(walk.problems)))


def marker_of(files: Collection[str], folder: str) -> str | None:
    """The kustomization file of a folder, if it has one."""
    return next((name for marker in MARKERS if (name := _join(folder, marker)) in files), None)


def _enter(walk: _Exploration, folder: str) -> None:
    if folder in walk.folders:
        return
    walk.folders.add(folder)
    if len(walk.folders) > MOST_FOLDERS:
        walk.problems.append(SourceProblem(folder, 0, f"made from more than {MOST_FOLDERS} kustomizations", "follow a smaller one"))
        return
    marker = marker_of(walk.files, folder)
    if marker is None:
        _ask(walk, tuple(_join(folder, name) for name in MARKERS), _Reference(folder or ".", 0, MARKERS[0], True))
        return
    walk.used.add(marker)
    for reference in _references(walk, marker):
        _follow(walk, folder, reference)


def _references(walk: _Exploration, marker: str) -> Iterator[_Reference]:
    try:
        documents = compose(decode(walk.files[marker]))
        value = value_of(documents[0].root) if len(documents) == 1 and documents[0].root is not None else None
    except NotYaml as error:
        walk.problems.append(SourceProblem(marker, error.line, error.message, error.remedy))
        return
    if not isinstance(value, dict):
        walk.problems.append(SourceProblem(marker, 1, "is no kustomization: one YAML mapping is expected", "correct it"))
        return
    for name, words in REFUSED.items():
        if value.get(name):
            remedy = "commit what they render, or follow the chart's output"
            walk.problems.append(SourceProblem(marker, _line(documents[0], (name,)), f"{name}: {words}", remedy))
    for path, text, folder_too in _names(value):
        yield _Reference(marker, _line(documents[0], path), text, folder_too)


def _names(value: Mapping[str, Any]) -> Iterator[tuple[FieldPath, str, bool]]:
    """Every name of a file or folder in a kustomization: its path, the name, and whether it may be a folder."""
    for key in (*FOLDERS_OR_FILES, *FILES):
        for position, text in enumerate(_list(value.get(key))):
            if isinstance(text, str) and not _inline(text):
                yield (key, position), text, key in FOLDERS_OR_FILES
    for key, named in (*((key, _named) for key in PATHS), *((key, _generated) for key in GENERATORS)):
        for position, part in enumerate(_list(value.get(key))):
            if isinstance(part, dict):
                yield from (((key, position, *path), text, False) for path, text in named(part))
    schema = value.get("openapi")
    if isinstance(schema, dict) and isinstance(schema.get("path"), str):
        yield ("openapi", "path"), schema["path"], False


def _named(part: Mapping[str, Any]) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(part.get("path"), str):
        yield ("path",), part["path"]


def _generated(part: Mapping[str, Any]) -> Iterator[tuple[FieldPath, str]]:
    for position, text in enumerate(_list(part.get("files"))):
        if isinstance(text, str):
            yield ("files", position), text.partition("=")[2] or text
    for position, text in enumerate(_list(part.get("envs"))):
        if isinstance(text, str):
            yield ("envs", position), text
    if isinstance(part.get("env"), str):
        yield ("env",), part["env"]


def _follow(walk: _Exploration, folder: str, reference: _Reference) -> None:
    if REMOTE.search(reference.text):
        _refuse(walk, reference, "leads out of this repository, and nothing is fetched while rendering", "commit it, and name the copy")
        return
    name = posixpath.normpath(posixpath.join(folder, reference.text))
    if name.startswith(("/", "../")) or name == ".." or "\0" in name:
        _refuse(walk, reference, "leads out of this repository", "name something inside of it")
        return
    name = "" if name == "." else name
    markers = tuple(_join(name, marker) for marker in MARKERS) if reference.folder_too else ()
    if name in walk.files:
        walk.used.add(name)
    elif any(marker in walk.files for marker in markers):
        _enter(walk, name)
    else:
        _ask(walk, (name, *markers), reference)


def _ask(walk: _Exploration, names: tuple[str, ...], reference: _Reference) -> None:
    """What was not asked for yet is asked for; what was is not there."""
    unknown = [name for name in names if name and name not in walk.absent]
    if unknown:
        walk.missing.update(dict.fromkeys(unknown))
        return
    told = next((walk.told[name] for name in names if name in walk.told), None)
    if told is not None:
        _refuse(walk, reference, told.message, told.remedy)
    else:
        _refuse(walk, reference, "is not in this repository", "commit it, or take it out of the kustomization")


def _refuse(walk: _Exploration, reference: _Reference, words: str, remedy: str) -> None:
    walk.problems.append(SourceProblem(reference.file, reference.line, f"{reference.text!r} {words}", remedy))


def _line(document: Document, path: FieldPath) -> int:
    node = node_at(document.root, path)
    return node.line if node is not None else 1


def _inline(text: str) -> bool:
    return "\n" in text or text.lstrip().startswith(("{", "["))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
