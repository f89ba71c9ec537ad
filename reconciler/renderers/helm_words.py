"""What is said to `helm template`, and what it says: the command line, its objects by template, its complaints with file and line. Pure."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.git.objects import Hides, SourceProblem
from reconciler.renderers.helm_closure import ChartFiles
from reconciler.sources.settings import HelmSettings

TREE = "tree"
VALUES = "values.json"
OLDEST = 3
SOURCE = re.compile(rb"\A# Source: ([^\n]+)\n")
PLACE = re.compile(r"(?P<file>[\w.@+-]+(?:/[\w.@+-]+)+):(?P<line>\d+)")
IN_TEMPLATE = re.compile(r"parse error on (?P<file>[^\s:]+)")
IN_VALUES = re.compile(r"(?:failed to parse|cannot load|error reading) (?P<file>[^\s:]+)")
LINE = re.compile(r"\bline (\d+)")
OUT_OF_MEMORY = ("out of memory", "cannot allocate memory", "fatal error: ")
VERSION = re.compile(r"v?(\d+)\.(\d+)")
ACTION = re.compile(rb"\{\{.*?\}\}", re.DOTALL)
COMMENT = re.compile(rb"\{\{-?\s*/\*")
UNSTEADY = re.compile(rb"(?<![\w.$\"])(now|lookup)(?![\w:])")
TEST_HOOKS = frozenset({"test", "test-success", "test-failure"})
LEAVING_HOOKS = frozenset({"pre-delete", "post-delete", "pre-rollback", "post-rollback"})
HOOK = "helm.sh/hook"
LONGEST = 500
REMEDY = "correct it: `helm template` says the same"


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of some objects, and the file of the chart that they come from."""

    source: str
    content: bytes


def arguments(settings: HelmSettings, inputs: ChartFiles, name: str, namespace: str) -> list[str]:
    """The words after the program. Values of the settings stand in a file: they may be long."""
    words = ["template", settings.release or name, f"./{posixpath.join(TREE, inputs.folder)}"]
    words += ["--namespace", settings.namespace or namespace or "default"]
    for file in inputs.value_files:
        words += ["--values", posixpath.join(TREE, file)]
    if settings.values:
        words += ["--values", VALUES]
    for place, value in settings.assignments.items():
        words += ["--set-json", f"{place}={json.dumps(value)}"]
    if settings.kube_version:
        words += ["--kube-version", settings.kube_version]
    for version in settings.api_versions:
        words += ["--api-versions", version]
    return [*words, "--include-crds"] if settings.include_crds else words


def laid_out(settings: HelmSettings, inputs: ChartFiles, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that helm finds in its working directory."""
    tree = {posixpath.join(TREE, name): files[original] for name, original in inputs.laid_out.items()}
    return {**tree, VALUES: json.dumps(settings.values).encode()} if settings.values else tree


def pieces(output: bytes) -> Iterator[Piece]:
    """The objects of an output, each with the template that it comes from."""
    source = ""
    for content in (b"\n" + output).split(b"\n---\n"):
        found = SOURCE.match(content)
        source = found[1].decode(errors="replace").strip() if found else source  # The second object of one file has no comment of its own.
        text = content[found.end() :] if found else content
        if text.strip():
            yield Piece(source, text)


def refusal_of(version: str) -> str:
    """Why a helm of this version cannot be used; empty for one that can."""
    found = VERSION.search(version)
    if found is None:
        return f"it says that its version is {version.strip()[:60]!r}: is it helm?"
    return f"helm {found[1]}.{found[2]} is too old: install helm 4, or at least helm {OLDEST}" if int(found[1]) < OLDEST else ""


def problem_of(complaint: str, inputs: ChartFiles) -> SourceProblem:
    """What helm complains about, at the file and line that it names."""
    words = complaint.removeprefix("Error: ").replace(f"{TREE}/", "").partition(" Use --debug flag")[0]
    if words.startswith(OUT_OF_MEMORY) or "out of memory" in words:
        words = "it needs more memory than it may take: a template may print without an end"
    words = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
    file, line = _place(words, inputs)
    return SourceProblem(file, line, f"helm: {words}", REMEDY)


def _place(words: str, inputs: ChartFiles) -> tuple[str, int]:
    """The file of the repository that a complaint is about, and the line; the chart where it names no file."""
    for found in PLACE.finditer(words):
        if (file := inputs.original(found["file"])) in inputs.files:
            return file, int(found["line"])
    line = LINE.search(words)
    for pattern in (IN_TEMPLATE, IN_VALUES):
        named = pattern.search(words)
        for file in _behind(named["file"], inputs) if named else ():
            return file, int(line[1]) if line else 0
    return posixpath.join(inputs.folder, "Chart.yaml"), 0


def _behind(name: str, inputs: ChartFiles) -> tuple[str, ...]:
    """The files that a name may stand for: as helm writes those of a chart, from the repository's root, or bare for one of the chart."""
    names = (inputs.original(name), name, posixpath.join(inputs.folder, name))
    return tuple(file for file in names if file in inputs.files)


def hook_problem(file: str, manifest: Mapping[str, Any]) -> SourceProblem | None:
    """What to say of an object that Helm applies at a moment which no release has; None for one that is applied, or run as a hook."""
    annotations = manifest["metadata"].get("annotations")
    value = annotations.get(HOOK) if isinstance(annotations, dict) else None
    if not isinstance(value, str):
        return None
    moments = {part.strip() for part in value.split(",") if part.strip()}
    if not moments or not moments <= TEST_HOOKS | LEAVING_HOOKS:
        return None
    what = f"{manifest['kind']} {manifest['metadata'].get('name') or ''} is a hook ({', '.join(sorted(moments))})".replace("  ", " ")
    return SourceProblem(file, 0, f"{what}, which a release never applies", "nothing is to be done", Hides.NOTHING, note=True)


def unsteady(files: Mapping[str, bytes], inputs: ChartFiles) -> Iterator[SourceProblem]:
    """Notes about templates that ask for the time or for the cluster, which a rendering cannot answer twice alike or not at all."""
    for name in inputs.files:
        if "/templates/" not in f"/{name}":
            continue
        for action in ACTION.finditer(files[name]):
            found = None if COMMENT.match(action[0]) else UNSTEADY.search(action[0])
            if found:
                line = files[name][: action.start() + found.start()].count(b"\n") + 1
                yield SourceProblem(name, line, *_UNSTEADY_WORDS[found[1]], Hides.NOTHING, note=True)


_UNSTEADY_WORDS = {
    b"now": ("asks for the time: each rendering may differ from the one before", "write the time into the values"),
    b"lookup": (
        "looks into the cluster, and finds nothing: charts are rendered without one",
        "write what it finds into the values",
    ),
}
