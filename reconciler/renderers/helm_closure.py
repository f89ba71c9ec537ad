"""Which files a chart is rendered from: its folder, value files and charts of the same repository that it names. Pure.

Nothing is fetched: a dependency is in `charts/`, or by `file://` elsewhere in the repository, or it is a problem that names its line.
"""

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.git.objects import SourceProblem
from reconciler.yamledit.nodes import Document, NotYaml, compose, decode, node_at
from reconciler.yamledit.values import value_of

CHART = "Chart.yaml"
OF_VALUES = re.compile(r"values[-._].+\.ya?ml$|.+[-._]values\.ya?ml$")
"""How people call the values of one environment."""
LOCAL = "file://"
DEEPEST = 8
VENDOR = "run `helm dependency build` and commit the folder charts/"


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """What is known of the files behind a chart.

    `laid_out` are the files as helm is to find them, each with the file of the repository that it is: a chart named by `file://` stands in
    `charts/` too. `missing` is still to be asked for.
    """

    folder: str
    chart: str
    laid_out: Mapping[str, str]
    value_files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problems: tuple[SourceProblem, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the repository that say what comes out."""
        return tuple(sorted(set(self.laid_out.values())))

    def original(self, source: str) -> str:
        """The file of the repository behind a name as helm writes it: the chart's name, then the place in the chart."""
        name = posixpath.join(self.folder, source.partition("/")[2])
        return self.laid_out.get(name, name)


@dataclass(slots=True)
class _ChartWalk:
    """One way through a chart and the charts it depends on."""

    files: Mapping[str, bytes]
    absent: Collection[str]
    laid_out: dict[str, str] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    problems: list[SourceProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Dependency:
    """One entry of `dependencies`: its name, where it is to come from, and its line."""

    name: str
    repository: str
    line: int


def chart_of(files: Collection[str], folder: str) -> str | None:
    """The `Chart.yaml` of a folder, if it has one."""
    return name if (name := posixpath.join(folder, CHART)) in files else None


def beside(inputs: ChartFiles) -> tuple[str, ...]:
    """The value files of a chart's own folder, but for the one that every rendering has."""
    names = [name for name in inputs.files if posixpath.dirname(name) == inputs.folder and name.endswith((".yaml", ".yml"))]
    return tuple(name for name in names if name in inputs.value_files or OF_VALUES.match(posixpath.basename(name)))


def closure(
    files: Mapping[str, bytes], absent: Collection[str], folder: str, value_files: tuple[str, ...], told: Collection[SourceProblem] = ()
) -> ChartFiles:
    """Everything that the chart of a folder is rendered from. `told` says why some files cannot be used."""
    walk = _ChartWalk(files, absent)
    chart = _enter(walk, (folder, folder), 0)
    named = tuple(name for text in value_files if (name := _value_file(walk, folder, text, told)))
    walk.laid_out.update({name: name for name in named})
    places = {folder, *(posixpath.dirname(original) for original in walk.laid_out.values() if original.endswith(CHART))}
    walk.problems += [problem for problem in told if not problem.tool and any(_below(problem.file, place) for place in places)]
    return ChartFiles(folder, chart, walk.laid_out, named, tuple(walk.missing), tuple(dict.fromkeys(walk.problems)))


def _enter(walk: _ChartWalk, at: tuple[str, str], depth: int) -> str:
    """Lays out the chart of a folder, and those it depends on; returns its name."""
    folder, place = at
    if _whole(folder) not in walk.absent:
        walk.missing[_whole(folder)] = None
    marker = chart_of(walk.files, folder)
    if marker is None:
        walk.problems += [] if walk.missing else [SourceProblem(posixpath.join(folder, CHART), 0, "is not in this repository", "commit it")]
        return ""
    inside = [name for name in walk.files if _below(name, folder)]
    walk.laid_out.update({posixpath.join(place, posixpath.relpath(name, folder or ".")): name for name in inside})
    try:
        document, value = _read(walk.files[marker])
    except NotYaml as error:
        walk.problems.append(SourceProblem(marker, error.line, error.message, error.remedy))
        return ""
    for dependency in _dependencies(document, value):
        _depend(walk, at, dependency, depth)
    return str(value.get("name", ""))


def _read(content: bytes) -> tuple[Document, Mapping[str, Any]]:
    documents = compose(decode(content))
    if len(documents) != 1:
        raise NotYaml(1, "is no chart: one YAML document is expected", "correct it")
    document = documents[0]
    value = value_of(document.root) if document.root is not None else None
    if not isinstance(value, dict):
        raise NotYaml(1, "is no chart: one YAML mapping is expected", "correct it")
    return document, value


def _dependencies(document: Document, value: Mapping[str, Any]) -> Iterator[_Dependency]:
    found = value.get("dependencies")
    for position, part in enumerate(found if isinstance(found, list) else []):
        if isinstance(part, dict) and isinstance(part.get("name"), str):
            node = node_at(document.root, ("dependencies", position))
            yield _Dependency(part["name"], str(part.get("repository") or ""), node.line if node is not None else 1)


def _depend(walk: _ChartWalk, at: tuple[str, str], dependency: _Dependency, depth: int) -> None:
    """A dependency that is there needs nothing; one of the same repository is laid out; any other is a problem."""
    folder, place = at
    if walk.missing or _is_vendored(walk, folder, dependency.name):
        return
    marker = posixpath.join(folder, CHART)
    if not dependency.repository.startswith(LOCAL):
        where = f" (from {dependency.repository})" if dependency.repository else ""
        words = f"the dependency {dependency.name!r}{where} is not in charts/, and nothing is fetched"
        walk.problems.append(SourceProblem(marker, dependency.line, words, VENDOR))
        return
    target = _resolved(folder, dependency.repository.removeprefix(LOCAL))
    if target is None or depth >= DEEPEST:
        words = f"the dependency {dependency.name!r} leads " + ("out of this repository" if target is None else "in a circle")
        walk.problems.append(SourceProblem(marker, dependency.line, words, "name a chart inside of it"))
        return
    if _whole(target) in walk.absent and chart_of(walk.files, target) is None:
        words = f"the dependency {dependency.name!r} is to be in {target or '.'}, where no {CHART} is"
        walk.problems.append(SourceProblem(marker, dependency.line, words, "commit it there, or correct its repository"))
        return
    _enter(walk, (target, posixpath.join(place, "charts", dependency.name)), depth + 1)


def _is_vendored(walk: _ChartWalk, folder: str, name: str) -> bool:
    """True for a chart in `charts/`: an archive, or a folder of this name or with a chart of this name."""
    charts = posixpath.join(folder, "charts") + "/"
    for file in walk.files:
        if not file.startswith(charts):
            continue
        parts = file.removeprefix(charts).split("/")
        if len(parts) == 1 and parts[0].startswith(f"{name}-") and parts[0].endswith(".tgz"):
            return True
        if len(parts) == 2 and parts[1] == CHART and (parts[0] == name or f"name: {name}".encode() in walk.files[file]):
            return True
    return False


def _value_file(walk: _ChartWalk, folder: str, text: str, told: Collection[SourceProblem]) -> str | None:
    """The name of a value file from the root of the repository, once it is there."""
    name = _resolved("", text.lstrip("/")) if text.startswith("/") else _resolved(folder, text)
    marker = posixpath.join(folder, CHART)
    if name is None:
        walk.problems.append(SourceProblem(marker, 0, f"the value file {text!r} leads out of this repository", "name a file inside of it"))
        return None
    if name in walk.files:
        return name
    if name not in walk.absent:
        walk.missing[name] = None
        return None
    why = next((problem for problem in told if problem.file == name), None)
    if why is None:
        words = f"the value file {text!r} ({name}) is not in this repository"
        walk.problems.append(SourceProblem(marker, 0, words, "commit it, or take it out of `valueFiles`"))
    else:
        walk.problems.append(why)
    return None


def _resolved(folder: str, text: str) -> str | None:
    """A name from the repository's root; None for one that leads out of it."""
    name = posixpath.normpath(posixpath.join(folder, text))
    if name.startswith(("/", "../")) or name == ".." or "\0" in name:
        return None
    return "" if name == "." else name


def _whole(folder: str) -> str:
    return f"{folder}/" if folder else "./"


def _below(name: str, folder: str) -> bool:
    return not folder or name.startswith(f"{folder}/")
