"""URL paths of the API: which kind, namespace, name and subresource a request is about."""

from dataclasses import dataclass
from urllib.parse import unquote

from reconciler_sandbox.apiserver.failures import not_found, page_not_found, unknown_path
from reconciler_sandbox.apiserver.kinds import Kind, Registry

NAMESPACE_PARTS = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path points at: an empty `namespace` is all of them, an empty `name` the collection."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """The key of the object in its collection."""
        return (self.namespace, self.name)


def parse(registry: Registry, path: str) -> Target:
    """The target of an API path. Raises Failure 404 if nothing is served there."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        raise page_not_found() if parts[0] == "apis" and not _is_built_in(registry, parts[1:2]) else unknown_path()
    namespace, parts = _namespace(group, parts)
    kind = registry.find(group, version, parts[0])
    if kind is None and not _is_built_in(registry, [group]):
        raise page_not_found()
    if kind is None or (namespace and not kind.namespaced):
        raise unknown_path()
    name, subresource, *rest = [*parts[1:], "", ""]
    if name and kind.namespaced and not namespace:
        raise unknown_path()
    if subresource and subresource not in kind.subresources:
        raise not_found(kind, name) if kind.custom else unknown_path()
    return Target(kind, namespace, name, subresource, "/".join(rest).strip("/"))


def _is_built_in(registry: Registry, groups: list[str]) -> bool:
    """Whether a group is the server's own: what it lacks is told as a Status, what nobody has as a page that is not there."""
    return not groups or any(kind.group == groups[0] and not kind.custom for kind in registry.kinds.values())


def _namespace(group: str, parts: list[str]) -> tuple[str, list[str]]:
    """The namespace of a path and what follows it; a path about a Namespace itself has none."""
    if parts[0] != "namespaces" or len(parts) < 3:
        return "", parts
    if group == "" and len(parts) == 3 and parts[2] in NAMESPACE_PARTS:
        return "", parts
    return parts[1], parts[2:]
