"""Nobody gives away rights that he does not have: what a new role or binding would grant, against what its writer holds."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from reconciler_sandbox.apiserver.failures import Failure, forbidden
from reconciler_sandbox.apiserver.identity import User
from reconciler_sandbox.apiserver.kinds import RBAC
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.rights import Asked, Rights

Manifest = dict[str, Any]
ROLES, BINDINGS = frozenset({"roles", "clusterroles"}), frozenset({"rolebindings", "clusterrolebindings"})
WORDS: Mapping[str, str] = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "resourceNames": "ResourceNames",
    "nonResourceURLs": "NonResourceURLs",
    "verbs": "Verbs",
}


def concerns(target: Target, method: str) -> bool:
    """Whether a write could grant something."""
    return target.kind.group == RBAC and method in ("POST", "PUT", "PATCH")


def require_held(rights: Rights, user: User, target: Target, written: Manifest) -> None:
    """Refuse a role whose rights, or a binding to a role whose rights, the writer does not hold. Raises Failure 403."""
    name = str(written["metadata"].get("name", ""))
    verb, role, granted = _granted(rights, target, written, name)
    if rights.find(user, Asked(verb, RBAC, role[0], namespace=role[1], name=role[2])):
        return
    lacking = [rule for rule in granted if not all(rights.find(user, asked) for asked in _asked(rule, target.namespace))]
    if lacking:
        raise _escalates(target, name, user, lacking)


def _granted(rights: Rights, target: Target, written: Manifest, name: str) -> tuple[str, tuple[str, str, str], list[Manifest]]:
    """The verb that allows it all the same, on which role (plural, namespace, name), and the rules it would grant."""
    if target.kind.plural in ROLES:
        return "escalate", (target.kind.plural, target.namespace, name), list(written.get("rules") or ())
    reference = written["roleRef"]
    plural = "roles" if reference.get("kind") == "Role" else "clusterroles"
    place = (plural, target.namespace, str(reference.get("name")))
    return "bind", place, rights.rules(plural, target.namespace if plural == "roles" else "", place[2])


def _asked(rule: Manifest, namespace: str) -> Iterator[Asked]:
    """Each single thing that a rule allows."""
    for verb, path in product(rule.get("verbs") or (), rule.get("nonResourceURLs") or ()):
        yield Asked(verb, path=path)
    for verb, group, whole, name in product(
        rule.get("verbs") or (), rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("resourceNames") or ("",)
    ):
        resource, _, subresource = whole.partition("/")
        yield Asked(verb, group, resource, subresource, namespace, name)


def _escalates(target: Target, name: str, user: User, lacking: list[Manifest]) -> Failure:
    groups = " ".join(f'"{group}"' for group in user.groups)
    listed = "\n".join(_shown(rule) for rule in lacking)
    who = f'user "{user.name}" (groups=[{groups}])'
    return forbidden(target.kind, name, f"{who} is attempting to grant RBAC permissions not currently held:\n{listed}")


def _shown(rule: Manifest) -> str:
    parts = [(word, rule[field]) for field, word in WORDS.items() if rule.get(field)]
    texts = [f"{word}:[{', '.join(chr(34) + one + chr(34) for one in values)}]" for word, values in parts]
    return "{" + ", ".join(texts) + "}"
