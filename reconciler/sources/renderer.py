"""What a renderer is: it turns the files of a source into manifests that know their place."""

from typing import Protocol

from reconciler.git.objects import Snapshot
from reconciler.sources.documents import Parsed


class Renderer(Protocol):
    """Turns one snapshot into manifests. What cannot be rendered is a Problem of the result, never an exception.

    The same snapshot gives the same manifests; `previous` is an earlier result whose unchanged parts may be reused.
    """

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed: ...
