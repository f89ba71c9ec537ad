"""Plain YAML: every `.yaml`, `.yml` and `.json` file of the folder holds Kubernetes objects."""

import asyncio

from reconciler.git.objects import Snapshot, SourceProblem
from reconciler.sources.documents import Parsed, manifests_of

TEMPLATED = {
    "kustomization.yaml": "kustomize",
    "kustomization.yml": "kustomize",
    "Kustomization": "kustomize",
    "Chart.yaml": "Helm",
}
REMEDY = "point the source at a folder with plain manifests, or commit the rendered ones"


class PlainRenderer:
    """Parses files as they are. A folder that belongs to a templating tool is a SourceProblem, not a guess."""

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        foreign = tuple(problem for name in sorted(snapshot.files) if (problem := _foreign(name)))
        if foreign:
            return Parsed({}, (), (*snapshot.problems, *foreign), snapshot.commit)
        # Parsing is milliseconds per megabyte: long enough to keep the event loop from its other work.
        return await asyncio.to_thread(manifests_of, snapshot, previous)


def _foreign(name: str) -> SourceProblem | None:
    tool = TEMPLATED.get(name.rpartition("/")[2])
    return SourceProblem(name, 0, f"this folder is rendered by {tool}, which this version does not run", REMEDY) if tool else None
