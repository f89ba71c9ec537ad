"""Self reviews: who am I, and may I. There is one user here, who may do everything."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.apiserver.kinds import Kind

Manifest = dict[str, Any]
USER = "sandbox-admin"
GROUPS = ("system:masters", "system:authenticated")


def review(kind: Kind, body: Manifest) -> Manifest:
    """The review with its answer."""
    return {**body, "apiVersion": kind.api_version, "kind": kind.kind, "status": ANSWERS[kind.plural]()}


def _access() -> Manifest:
    return {"allowed": True, "reason": "the sandbox's only user may do everything"}


def _rules() -> Manifest:
    every = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    return {"resourceRules": every, "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}], "incomplete": False}


def _who() -> Manifest:
    return {"userInfo": {"username": USER, "groups": list(GROUPS)}}


ANSWERS: Mapping[str, Callable[[], Manifest]] = {
    "selfsubjectaccessreviews": _access,
    "selfsubjectrulesreviews": _rules,
    "selfsubjectreviews": _who,
}
