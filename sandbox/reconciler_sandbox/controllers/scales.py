"""The scale subresource of whatever a reference names: found through discovery, so that custom resources count as built-in ones do."""

from dataclasses import dataclass

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.objects import Manifest

UNFOUND = "the server could not find the requested resource"


class NoScale(Exception):
    """Why there is no scale, in the words of clients."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a kind is served: `root` is the path of its version; `scalable` says whether it has a scale."""

    root: str
    group: str
    plural: str
    scalable: bool

    @property
    def qualified(self) -> str:
        """Plural and group, as paths of metrics and messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str, name: str) -> str:
        """The path of one object."""
        return f"{self.root}/namespaces/{namespace}/{self.plural}/{name}"


class Scales:
    """Reads and writes scales."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def find(self, api_version: str, kind: str) -> Mapped:
        """Where a kind is served, in whatever version its group prefers. Raises NoScale if nowhere."""
        group = api_version.rpartition("/")[0]
        if api_version.count("/") > 1:
            raise NoScale(f"unexpected GroupVersion string: {api_version}")
        root = "/api/v1"
        if group:
            found = await self._client.get(f"/apis/{group}")
            root = f"/apis/{found['preferredVersion']['groupVersion']}" if found else ""
        listed = await self._client.get(root) if root else None
        resources = (listed or {}).get("resources") or ()
        for one in resources:
            if one["kind"] == kind and "/" not in one["name"]:
                return Mapped(root, group, one["name"], any(other["name"] == f"{one['name']}/scale" for other in resources))
        raise NoScale(f'no matches for kind "{kind}" in group "{group}"')

    async def read(self, reference: Manifest, namespace: str) -> tuple[str, Manifest]:
        """The path of the scale of a reference, and the scale. Raises NoScale."""
        mapped = await self.find(reference.get("apiVersion", ""), reference["kind"])
        if not mapped.scalable:
            raise NoScale(UNFOUND)
        path = f"{mapped.path(namespace, reference['name'])}/scale"
        try:
            return path, await self._client.read(path)
        except ApiError as error:
            if error.status != 404:
                raise
            raise NoScale(error.message or UNFOUND) from error

    async def write(self, path: str, scale: Manifest, replicas: int) -> None:
        """Ask for so many replicas, unless somebody changed the object since. Raises ApiError."""
        await self._client.replace(path, {**scale, "spec": {**scale.get("spec", {}), "replicas": replicas}})
