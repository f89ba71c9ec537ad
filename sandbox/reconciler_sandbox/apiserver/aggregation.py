"""Groups of the API that somebody else answers, as an APIService does it: they are discovered and asked for here, and passed on."""

from collections.abc import Iterable

from reconciler_sandbox.apiserver.kinds import Kind, Registry
from reconciler_sandbox.client import Caller

DOCUMENT_PARTS = 3
"""A path of so many parts is about a group or a version: discovery tells it from the rows."""


class Aggregation:
    """Who answers which groups."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._callers: dict[str, Caller] = {}

    def serve(self, group: str, kinds: Iterable[Kind], call: Caller) -> None:
        """From now on a group consists of these kinds and `call` answers for it; without kinds it is not there."""
        rows = {(kind.group, kind.version, kind.plural): kind for kind in kinds}
        self._registry.kinds = {path: kind for path, kind in self._registry.kinds.items() if path[0] != group} | rows
        self._registry.generation += 1
        self._callers.pop(group, None)
        if rows:
            self._callers[group] = call

    def find(self, path: str) -> Caller | None:
        """Who answers what is asked at a path; nobody if that is for this server."""
        parts = path.strip("/").split("/")
        if parts[0] != "apis" or len(parts) <= DOCUMENT_PARTS:
            return None
        return self._callers.get(parts[1])
