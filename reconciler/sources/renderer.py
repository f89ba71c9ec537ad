"""What a renderer is: it turns the files of a source into manifests that know their place."""

from dataclasses import dataclass
from typing import Protocol

from reconciler.git.objects import Snapshot
from reconciler.sources.documents import Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """What a source says about its files: its folder, the namespace of objects without one, and globs of files to leave out."""

    path: str = ""
    namespace: str = ""
    exclude: tuple[str, ...] = ()


class Renderer(Protocol):
    """Turns one snapshot into manifests. What cannot be rendered is a Problem of the result, never an exception.

    The same snapshot gives the same manifests; `previous` is an earlier result whose unchanged parts may be reused.
    """

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed: ...
