"""Self reviews: who am I, and may I. The answers are those of the gate that every call passes."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.failures import bad_request, invalid
from reconciler_sandbox.apiserver.gate import Gate
from reconciler_sandbox.apiserver.identity import MASTERS, User
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.rights import Asked

Manifest = dict[str, Any]
RESOURCE_FIELDS = ("verbs", "apiGroups", "resources", "resourceNames")
PATH_FIELDS = ("verbs", "nonResourceURLs")
EVERYTHING = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)


def review(kind: Kind, body: Manifest, user: User, gate: Gate) -> Manifest:
    """The review with its answer. Raises Failure 422 for one that asks nothing."""
    return {**body, "apiVersion": kind.api_version, "kind": kind.kind, "status": ANSWERS[kind.plural](kind, body, user, gate)}


def _access(kind: Kind, body: Manifest, user: User, gate: Gate) -> Manifest:
    spec = body.get("spec") or {}
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) is (path is None):
        text = "Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid(kind, "", [Cause("spec.resourceAttributes", text)])
    allowed, reason = gate.may(user, _asked(resource) if resource is not None else _path(path or {}))
    return {"allowed": allowed, **({"reason": reason} if reason else {})}


def _of_others(kind: Kind, body: Manifest, user: User, gate: Gate) -> Manifest:
    """What somebody else may do."""
    spec = body.get("spec") or {}
    if not spec.get("user") and not spec.get("groups"):
        raise invalid(kind, "", [Cause("spec.user", 'Invalid value: "": at least one of user or group must be specified')])
    return _access(kind, body, User(str(spec.get("user") or ""), tuple(spec.get("groups") or ()), str(spec.get("uid") or "")), gate)


def _token(kind: Kind, body: Manifest, user: User, gate: Gate) -> Manifest:
    """Whose token it is."""
    token = (body.get("spec") or {}).get("token")
    if not token:
        raise bad_request("token is required for TokenReview in authentication")
    holder = gate.holder(str(token))
    if holder is None:
        return {"user": {}, "error": "[invalid bearer token, unknown]"}
    return {"authenticated": True, **_told(holder)}


def _told(user: User, field: str = "user") -> Manifest:
    return {field: {"username": user.name, **({"uid": user.uid} if user.uid else {}), "groups": list(user.groups)}}


def _asked(attributes: Manifest) -> Asked:
    words = {name: str(attributes.get(name) or "") for name in ("verb", "group", "resource", "subresource", "namespace", "name")}
    return Asked(**words)


def _path(attributes: Manifest) -> Asked:
    return Asked(str(attributes.get("verb") or ""), path=str(attributes.get("path") or ""))


def _rules(kind: Kind, body: Manifest, user: User, gate: Gate) -> Manifest:
    everything = gate.access is None or not gate.access.rbac or MASTERS in user.groups
    namespace = str((body.get("spec") or {}).get("namespace") or "")
    if not namespace:
        raise bad_request("no namespace on request")
    rules = list(EVERYTHING) if everything else [grant.rule for grant in gate.rights.grants(user, namespace)]
    return {
        "resourceRules": [_only(rule, RESOURCE_FIELDS) for rule in rules if rule.get("resources")],
        "nonResourceRules": [_only(rule, PATH_FIELDS) for rule in rules if rule.get("nonResourceURLs")],
        "incomplete": False,
    }


def _only(rule: Mapping[str, Any], fields: tuple[str, ...]) -> Manifest:
    return {name: rule[name] for name in fields if name in rule}


def _who(kind: Kind, body: Manifest, user: User, gate: Gate) -> Manifest:
    return _told(user, "userInfo")


ANSWERS: Mapping[str, Callable[[Kind, Manifest, User, Gate], Manifest]] = {
    "selfsubjectaccessreviews": _access,
    "selfsubjectrulesreviews": _rules,
    "selfsubjectreviews": _who,
    "subjectaccessreviews": _of_others,
    "localsubjectaccessreviews": _of_others,
    "tokenreviews": _token,
}
