"""Whether what a path names has the verb of a request (else 405)."""

from collections.abc import Mapping

from reconciler_sandbox.apiserver.discovery import OTHER_VERBS, SUBRESOURCE_VERBS
from reconciler_sandbox.apiserver.failures import method_not_allowed
from reconciler_sandbox.apiserver.paths import Target

VERBS: Mapping[str, str] = {"POST": "create", "PUT": "update", "PATCH": "patch"}
NAMED_VERBS: Mapping[str, str] = {**VERBS, "GET": "get", "DELETE": "delete"}
LIST_VERBS: Mapping[str, str] = {**VERBS, "GET": "list", "DELETE": "deletecollection"}
OF_OBJECTS = frozenset({"get", "update", "patch", "delete"})
OF_COLLECTIONS = frozenset({"create", "list", "deletecollection"})


def require(target: Target, method: str) -> None:
    """Refuse a method that the path does not have. Raises Failure 405."""
    if not _has(target, (NAMED_VERBS if target.name else LIST_VERBS).get(method, "")):
        raise method_not_allowed()


def _has(target: Target, verb: str) -> bool:
    if target.subresource:
        return verb in OTHER_VERBS.get(target.subresource, SUBRESOURCE_VERBS)
    if verb not in (OF_OBJECTS if target.name else OF_COLLECTIONS):
        return False
    everywhere = target.kind.namespaced and not target.namespace  # all namespaces at once are only read
    return verb in target.kind.verbs and (verb == "list" or not everywhere)
