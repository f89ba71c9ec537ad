"""Plain YAML: every `.yaml`, `.yml` and `.json` file of the folder holds Kubernetes objects, or none."""

import asyncio
import json
import posixpath
from collections.abc import Mapping
from dataclasses import replace

from reconciler.git.objects import Hides, Snapshot, SourceProblem, one_line
from reconciler.kernel.redaction import Redactor
from reconciler.renderers.jsonnet_closure import EVALUATED
from reconciler.renderers.kustomize_closure import MARKERS
from reconciler.sources.documents import Parsed, manifests_of
from reconciler.sources.encryption import refusal_of
from reconciler.sources.exclusion import excluded
from reconciler.sources.renderer import RenderOptions

CHART = "Chart.yaml"
HYDRATED = "hydrator.metadata"
"""Beside the manifests of a hydrated branch (argo-cd.readthedocs.io/en/stable/user-guide/source-hydrator)."""
PARTS_OF_A_CHART = ("templates/", "charts/", "crds/", "values.", "values-", "Chart.", "requirements.")
REMEDY = "make it the path of a source of its own, or name it under `exclude`"


class PlainRenderer:
    """Parses files as they are. What belongs to a templating tool is left out and said, not guessed at; all else is read."""

    def __init__(self, options: RenderOptions) -> None:
        self._options = options

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        # Parsing is milliseconds per megabyte: long enough to keep the event loop from its other work.
        return await asyncio.to_thread(rendered, snapshot, previous, self._options)

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Nothing: manifests name no other files."""
        return ()


def rendered(snapshot: Snapshot, previous: Parsed | None, options: RenderOptions) -> Parsed:
    """The manifests of a folder without what is excluded and what only a templating tool can read."""
    files = {name: content for name, content in snapshot.files.items() if not excluded(name, options.path, options.exclude)}
    known = tuple(problem for problem in snapshot.problems if not excluded(problem.file, options.path, options.exclude))
    foreign = {name: problem for name in files if (problem := _foreign(name, files))}
    problems = tuple(sorted(set(foreign.values()), key=lambda problem: problem.file))
    plain = {name: content for name, content in files.items() if name not in foreign}
    parsed = manifests_of(replace(snapshot, files=plain, problems=(*known, *problems)), previous, options.namespace)
    withheld = tuple(dict.fromkeys((*parsed.withheld, *sorted(foreign))))
    return replace(parsed, withheld=withheld, generated=_generated(snapshot.files, posixpath.join(options.path, HYDRATED)))


def _generated(files: Mapping[str, bytes], marker: str) -> str:
    """What Argo CD's source hydrator says of a rendered branch: which commit of which repository it was made from."""
    name = posixpath.normpath(marker)
    if name not in files:
        return ""
    try:
        said = json.loads(files[name])
    except (ValueError, RecursionError):
        said = None
    known = said if isinstance(said, dict) else {}
    place = Redactor().text(str(known.get("repoURL") or "its dry source"))
    commit = str(known.get("drySha") or known.get("drySHA") or "unknown")[:12]
    return one_line(f"{name} names commit {commit} of {place}: restore it there, and let it be rendered")


def _foreign(name: str, files: Mapping[str, bytes]) -> SourceProblem | None:
    """What to say of a file that belongs to a templating tool; None for a plain one."""
    if name.endswith(EVALUATED):
        remedy = (
            "name its folder, without `renderer: plain`, with the extra installed (reconciler[jsonnet]); or name the file under `exclude`"
        )
        return SourceProblem(name, 0, "written for jsonnet, and only plain manifests are read here", remedy, Hides.ITSELF, tool="jsonnet")
    found = refusal_of(name, files[name], Hides.ITSELF)
    if found is not None:
        return found
    parts = name.split("/")
    for depth in range(len(parts)):
        folder = "".join(f"{part}/" for part in parts[:depth])
        for marker in MARKERS:
            if f"{folder}{marker}" in files:
                return _unrendered(f"{folder}{marker}", "kustomize")
        if f"{folder}{CHART}" in files and name.removeprefix(folder).startswith(PARTS_OF_A_CHART):
            return _unrendered(f"{folder}{CHART}", "Helm")
    return None


def _unrendered(marker: str, tool: str) -> SourceProblem:
    words = f"this folder is rendered by {tool}: none of it is looked at"
    return SourceProblem(marker, 0, words, REMEDY, Hides.ITSELF, tool=tool)
