"""Helm: what `helm template` makes of a chart in the repository, with the files behind it as the inputs.

Helm 4; helm 3 is taken too; where no helm is installed, Helm's library for Python answers in its place (`helm_child`). No network, no
cluster, no plugins and no home: dependencies are those of the repository, and archives that were fetched before helm starts. A chart is
rendered twice, and what differs is withheld: it would be another object at every commit, whatever a push asked for.
"""

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec

from reconciler.git.objects import Hides, Snapshot, SourceProblem
from reconciler.renderers import helm_child
from reconciler.renderers.child import ChildCall, ChildFailed, output_of, program
from reconciler.renderers.helm_closure import ChartFiles, WantedChart, beside, closure
from reconciler.renderers.helm_lock import CHART, VENDOR
from reconciler.renderers.helm_words import TREE, Piece, arguments, hook_problem, laid_out, pieces, problem_of, refusal_of, unsteady
from reconciler.renderers.memory import RenderMemory, fingerprint
from reconciler.renderers.overrides import override_files, overrides_of
from reconciler.sources.charts import ChartWish, FetchedCharts
from reconciler.sources.documents import Parsed, ParsedFile, objects_of, parsed_from
from reconciler.sources.encryption import refusals
from reconciler.sources.renderer import Renderer, RenderOptions
from reconciler.sources.settings import HelmSettings

NAME = "helm"
VERSION = ("version", "--template", "{{.Version}}")
INSTALL = "install helm 4, name it in `helm: {program: …}`, or install the extra: pip install 'reconciler[helm]'"
NOT_HERE = "only the daemon and `plan` fetch charts"
LIBRARY, DISTRIBUTION = "helm_python", "helm-python-sdk"


class HelmRenderer:
    """Renders one chart. The same files are rendered once, whatever else moves in the repository."""

    markers = (CHART,)

    def __init__(self, options: RenderOptions) -> None:
        self._options = options
        self._memory = RenderMemory()
        self._known: tuple[str, ...] = ()
        self._name = NAME

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        return self._closure(snapshot).missing

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        return frozenset(name.rpartition("/")[0] for name in self._closure(snapshot).files if name.rpartition("/")[2] == CHART)

    def variants(self, snapshot: Snapshot) -> Mapping[str, Renderer]:
        """The chart with each of the other value files beside its own: those of other environments."""
        inputs, settings = self._closure(snapshot), self._options.helm
        kept = tuple(f"/{name}" for name in inputs.value_files if name not in beside(inputs))
        others = [name for name in beside(inputs) if name not in inputs.value_files]
        return {
            f"{self._options.path or '.'} with {name}": HelmRenderer(
                replace(self._options, helm=replace(settings, value_files=(*kept, f"/{name}")))
            )
            for name in others
        }

    def at(self, folder: str) -> Renderer:
        """Another chart of the repository, with its own values."""
        return HelmRenderer(replace(self._options, path=folder, helm=defaults(self._options.helm), application=""))

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        inputs = self._closure(snapshot)
        behind = {name: snapshot.files[name] for name in inputs.files}
        key = fingerprint(behind, (*self._arguments(snapshot, inputs), repr(self._options.helm.values)))
        known = self._refused(snapshot, inputs) or self._memory.recall(key, snapshot.commit)
        if known is not None:
            return replace(known, inputs=behind)
        fetched = await self._fetched([one.wish for one in inputs.wanted])
        if fetched.refused:
            problems = tuple(_unfetched(one, fetched.refused[one.wish]) for one in inputs.wanted if one.wish in fetched.refused)
            return replace(parsed_from({}, problems, snapshot.commit), inputs=behind, renderer=self._name, unsettled=True)
        archives = {posixpath.join(TREE, one.place): fetched.archives[one.wish] for one in inputs.wanted}
        try:
            outputs = [await self._output(snapshot, inputs, archives) for _ in range(2)]
        except ChildFailed as failed:
            return replace(parsed_from({}, (problem_of(str(failed), inputs),), snapshot.commit), inputs=behind, renderer=self._name)
        parsed = _parsed(outputs, inputs, previous, self._namespace)
        notes = (*parsed.notes, *unsteady(snapshot.files, inputs))
        return self._memory.keep(key, replace(parsed, inputs=behind, renderer=self._name, notes=notes, commit=snapshot.commit))

    @property
    def _namespace(self) -> str:
        return self._options.helm.namespace or self._options.namespace

    def _closure(self, snapshot: Snapshot) -> ChartFiles:
        found = closure(snapshot, self._options.path, self._options.helm.value_files, self._options.helm.registries)
        said = overrides_of(snapshot.files, override_files(self._options)).problems
        return replace(found, problems=(*found.problems, *said)) if said else found

    def _arguments(self, snapshot: Snapshot, inputs: ChartFiles) -> list[str]:
        said = overrides_of(snapshot.files, override_files(self._options)).parameters or {}
        helm = replace(self._options.helm, assignments={**self._options.helm.assignments, **said})
        return arguments(helm, inputs, self._options.source or inputs.chart, self._options.namespace)

    def _refused(self, snapshot: Snapshot, inputs: ChartFiles) -> Parsed | None:
        """A source that cannot be rendered; None for one that may be."""
        unknown = [SourceProblem(name, 0, "is not in this repository", "commit it") for name in inputs.missing if not name.endswith("/")]
        encrypted = refusals(snapshot.files, inputs.files)
        problems = tuple(replace(problem, hides=Hides.ANYTHING, note=False) for problem in (*inputs.problems, *unknown, *encrypted))
        return replace(parsed_from({}, problems, snapshot.commit), renderer=self._name) if problems else None

    async def _fetched(self, wishes: Sequence[ChartWish]) -> FetchedCharts:
        if self._options.charts is None:
            return FetchedCharts(refused=dict.fromkeys(wishes, NOT_HERE))
        return await self._options.charts.fetched(wishes, self._options.helm.registries)

    async def _output(self, snapshot: Snapshot, inputs: ChartFiles, archives: Mapping[str, bytes]) -> bytes:
        """What helm prints. Raises ChildFailed."""
        helm = await self._program()
        files = {**laid_out(self._options.helm, inputs, snapshot.files), **archives}
        return await output_of(ChildCall((*helm, *self._arguments(snapshot, inputs)), files))

    async def _program(self) -> tuple[str, ...]:
        """The words that start a helm that can be used; looked at once. Raises ChildFailed."""
        if not self._known:
            name = self._options.helm.program
            found = self._found(name)
            refusal = refusal_of((await output_of(ChildCall((*found, *VERSION), {}))).decode(errors="replace"))
            if refusal:
                raise ChildFailed(f"{name}: {refusal}")
            self._known = found
        return self._known

    def _found(self, name: str) -> tuple[str, ...]:
        """The program of this name; where none was named and none is there, the library in its place, which people are told."""
        try:
            return (program(name),)
        except ChildFailed as missing:
            if name != HelmSettings().program or find_spec(LIBRARY) is None:
                raise ChildFailed(f"{missing}: {INSTALL}") from missing
        self._name = f"{NAME} ({DISTRIBUTION} {version(DISTRIBUTION)})"
        return (sys.executable, "-I", helm_child.__file__)


def defaults(settings: HelmSettings) -> HelmSettings:
    """How a chart is rendered of which the settings say nothing: with its own values."""
    return replace(settings, value_files=(), values={}, assignments={})


def _unfetched(wanted: WantedChart, why: str) -> SourceProblem:
    """What to say of a dependency that could not be had. It may be there at the next look."""
    words = f"the dependency {wanted.wish.name!r} {wanted.wish.version} (from {wanted.wish.repository}) cannot be fetched: {why}"
    return SourceProblem(wanted.file, wanted.line, words, f"it is tried again with growing pauses; or {VENDOR}")


def _parsed(outputs: Iterable[bytes], inputs: ChartFiles, previous: Parsed | None, namespace: str) -> Parsed:
    """The objects that are the same in both outputs; hooks and what differs are withheld, and said."""
    first, second = (tuple(pieces(output)) for output in outputs)
    files = _files(first, inputs, previous, namespace)
    kept: dict[str, ParsedFile] = {}
    withheld: list[str] = []
    problems: list[SourceProblem] = []
    again = {(piece.source, piece.content) for piece in second}
    for (name, parsed), piece in zip(files.items(), first, strict=True):
        problem = _withheld(inputs.original(piece.source), parsed, (piece.source, piece.content) in again)
        if problem is None:
            kept[name] = parsed
        else:
            problems.append(problem)
            withheld.append(name)
    return replace(parsed_from(kept, tuple(problems)), namespace=namespace, withheld=tuple(withheld))


def _withheld(file: str, parsed: ParsedFile, same: bool) -> SourceProblem | None:
    """Why an object is not to be applied; None for one that is."""
    if not same:
        named = ", ".join(f"{located.manifest['kind']} {located.key[2]}" for located in parsed.manifests)
        words = f"gives another {named or 'text'} each time it is rendered: it is not applied, and what is there stays"
        return SourceProblem(file, 0, words, "write the random value into the values, or into a Secret of its own", Hides.ITSELF)
    found = (hook_problem(file, located.manifest) for located in parsed.manifests)
    return next((problem for problem in found if problem is not None), None)


def _files(found: Iterable[Piece], inputs: ChartFiles, previous: Parsed | None, namespace: str) -> Mapping[str, ParsedFile]:
    """The objects, a file each, named after the template that they come from."""
    files: dict[str, ParsedFile] = {}
    for piece in found:
        template = inputs.original(piece.source)
        for name, parsed in objects_of((piece.content,), template, _of_template(previous, template), namespace).items():
            files[next(_free(name, files))] = parsed
    return files


def _of_template(previous: Parsed | None, template: str) -> Parsed | None:
    """What an earlier rendering had of one template: equal bytes of two templates are two objects."""
    if previous is None:
        return None
    return replace(previous, files={name: parsed for name, parsed in previous.files.items() if name.startswith(f"{template}#")})


def _free(name: str, taken: Mapping[str, ParsedFile]) -> Iterator[str]:
    """The name, or else the same with a number, that nothing has yet."""
    number = 0
    while (found := f"{name} ({number})" if number else name) in taken:
        number += 1
    yield found
