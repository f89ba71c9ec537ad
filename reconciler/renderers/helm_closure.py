"""Which files a chart is rendered from: its folder, value files and charts of the same repository that it names. Pure.

A dependency is in `charts/`, or by `file://` elsewhere in the repository, or in a registry that the source allows: then it is wanted in the
version that `Chart.lock` says. Any other is a problem that names its line.
"""

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.git.objects import Snapshot, SourceProblem
from reconciler.renderers.helm_lock import CHART, VENDOR, ChartLock, Dependency, dependencies_of, lock_of, mapping_of, pinned, refusal_of
from reconciler.sources.charts import ChartRegistry, ChartWish
from reconciler.yamledit.nodes import NotYaml

OF_VALUES = re.compile(r"values[-._].+\.ya?ml$|.+[-._]values\.ya?ml$")
"""How people call the values of one environment."""
LOCAL = "file://"
DEEPEST = 8
MOST_FETCHED = 100


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """What is known of the files behind a chart.

    `laid_out` are the files as helm is to find them, each with the file of the repository that it is: a chart named by `file://` stands in
    `charts/` too. `missing` is still to be asked for. `wanted` are charts to be fetched, each with the place of its archive.
    """

    folder: str
    chart: str
    laid_out: Mapping[str, str]
    value_files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    wanted: tuple["WantedChart", ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the repository that say what comes out."""
        return tuple(sorted(set(self.laid_out.values())))

    def original(self, source: str) -> str:
        """The file of the repository behind a name as helm writes it: the chart's name, then the place in the chart."""
        name = posixpath.join(self.folder, source.partition("/")[2])
        return self.laid_out.get(name, name)


@dataclass(frozen=True, slots=True)
class WantedChart:
    """A chart that is to be fetched: where helm is to find its archive, and the line that asks for it."""

    wish: ChartWish
    place: str
    file: str
    line: int


@dataclass(slots=True)
class _ChartWalk:
    """One way through a chart and the charts it depends on."""

    files: Mapping[str, bytes]
    absent: Collection[str]
    registries: Sequence[ChartRegistry]
    wanted: dict[str, WantedChart] = field(default_factory=dict)
    locks: dict[str, ChartLock | SourceProblem | None] = field(default_factory=dict)
    laid_out: dict[str, str] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    problems: list[SourceProblem] = field(default_factory=list)


def chart_of(files: Collection[str], folder: str) -> str | None:
    """The `Chart.yaml` of a folder, if it has one."""
    return name if (name := posixpath.join(folder, CHART)) in files else None


def beside(inputs: ChartFiles) -> tuple[str, ...]:
    """The value files of a chart's own folder, but for the one that every rendering has."""
    names = [name for name in inputs.files if posixpath.dirname(name) == inputs.folder and name.endswith((".yaml", ".yml"))]
    return tuple(name for name in names if name in inputs.value_files or OF_VALUES.match(posixpath.basename(name)))


def closure(snapshot: Snapshot, folder: str, value_files: tuple[str, ...], registries: Sequence[ChartRegistry] = ()) -> ChartFiles:
    """Everything that the chart of a folder is rendered from."""
    walk, told = _ChartWalk(snapshot.files, snapshot.absent, registries), snapshot.problems
    chart = _enter(walk, (folder, folder), 0)
    named = tuple(name for text in value_files if (name := _value_file(walk, folder, text, told)))
    walk.laid_out.update({name: name for name in named})
    places = {folder, *(posixpath.dirname(original) for original in walk.laid_out.values() if original.endswith(CHART))}
    walk.problems += [problem for problem in told if not problem.tool and any(_below(problem.file, place) for place in places)]
    return ChartFiles(
        folder, chart, walk.laid_out, named, tuple(walk.missing), tuple(dict.fromkeys(walk.problems)), tuple(walk.wanted.values())
    )


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
        document, value = mapping_of(walk.files[marker], "chart")
    except NotYaml as error:
        walk.problems.append(SourceProblem(marker, error.line, error.message, error.remedy))
        return ""
    for dependency in dependencies_of(document, value):
        _depend(walk, at, dependency, depth)
    return str(value.get("name", ""))


def _depend(walk: _ChartWalk, at: tuple[str, str], dependency: Dependency, depth: int) -> None:
    """A dependency that is there needs nothing; one of the same repository is laid out; any other is a problem."""
    folder, place = at
    if walk.missing or _is_vendored(walk, folder, dependency.name):
        return
    marker = posixpath.join(folder, CHART)
    if not dependency.repository.startswith(LOCAL):
        _want(walk, at, dependency)
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


def _want(walk: _ChartWalk, at: tuple[str, str], dependency: Dependency) -> None:
    """A dependency that is to be fetched, in the version of the lock; a problem where the source does not allow it."""
    folder, place = at
    marker = posixpath.join(folder, CHART)
    found = refusal_of(marker, dependency, walk.registries) or pinned(marker, _lock(walk, folder), dependency)
    if len(walk.wanted) >= MOST_FETCHED:
        found = SourceProblem(marker, 0, f"more than {MOST_FETCHED} dependencies would have to be fetched", VENDOR)
    if isinstance(found, SourceProblem):
        walk.problems.append(found)
        return
    archive = posixpath.join(place, "charts", found.file)
    walk.wanted[archive] = WantedChart(found, archive, marker, dependency.line)


def _lock(walk: _ChartWalk, folder: str) -> ChartLock | SourceProblem | None:
    """The lock of a folder's chart, read once."""
    if folder not in walk.locks:
        walk.locks[folder] = lock_of(folder, walk.files)
    return walk.locks[folder]


def _is_vendored(walk: _ChartWalk, folder: str, name: str) -> bool:
    """True for a chart in `charts/`: an archive, or a folder of this name or with a chart of this name."""
    charts = posixpath.join(folder, "charts") + "/"
    for file in walk.files:
        if not file.startswith(charts):
            continue
        parts = file.removeprefix(charts).split("/")
        if len(parts) == 1 and re.fullmatch(rf"{re.escape(name)}-v?\d.*\.tgz", parts[0]):
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
