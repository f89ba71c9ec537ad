"""What a renderer is: it turns the files of a source into manifests that know their place."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Files of the same commit that are needed beside those of the snapshot; asked again until none is."""
        ...


@runtime_checkable
class Neighbours(Protocol):
    """What a renderer may also say: which other folders of a repository are made from the same files."""

    @property
    def markers(self) -> tuple[str, ...]:
        """The names of the files that make a folder one of its own."""
        ...

    def at(self, folder: str) -> Renderer:
        """The same renderer for another folder of the same repository."""
        ...

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        ...
