"""Which resource serves a kind: our own table first, then what the server says (Kubernetes API concepts, "API discovery")."""

from collections.abc import Iterable

from reconciler.kernel import resources
from reconciler.kernel.identity import Resource
from reconciler.kube.client import Client
from reconciler.kube.errors import NotFound, NotServed

KNOWN = {(r.api_version, r.kind): r for r in vars(resources).values() if isinstance(r, Resource)}


def not_served(api_version: str, kind: str) -> str:
    """What is said of a kind that the cluster does not know."""
    return f"the cluster serves no {kind} in {api_version}: install its CustomResourceDefinition first"


class Discovery:
    """Finds resources by apiVersion and kind; remembers what the server said, forgets a group that did not have the kind."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: dict[tuple[str, str], Resource] = dict(KNOWN)

    async def resources_of(self, kinds: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Resource]:
        """The resources of (apiVersion, kind), without those that the cluster does not serve: one question for each group not yet known."""
        wanted = set(kinds)
        for api_version in sorted({kind[0] for kind in wanted if kind not in self._found}):
            self._found.update(await self._ask(api_version))
        return {kind: self._found[kind] for kind in wanted if kind in self._found}

    async def _ask(self, api_version: str) -> dict[tuple[str, str], Resource]:
        group, _, version = api_version.rpartition("/")
        try:
            listed = await self._client.resources(group, version)
        except (NotFound, NotServed):
            return {}
        return {
            (api_version, str(r["kind"])): Resource(group, version, str(r["name"]), str(r["kind"]), bool(r["namespaced"]))
            for r in listed
            if "/" not in r["name"]
        }
