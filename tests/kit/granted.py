"""What the roles of `deploy/` grant, right by right, and what calls ask for, so that one can be held against the other."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from reconciler_sandbox.client import Answer, Call

from tests.kit.kubectl import binary

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
EXAMPLE = DEPLOY / "overlays" / "example"
Manifest = dict[str, Any]
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "GET": "get", "DELETE": "delete"}
OF_COLLECTIONS = {"GET": "list", "DELETE": "deletecollection"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call wants to do: a verb on a resource."""

    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str

    @property
    def whole(self) -> str:
        """Resource and subresource as rules name them."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource, as one rule of one role grants it: in one namespace, or wherever the role is bound if that is empty."""

    role: str
    namespace: str
    rule: Manifest

    def __str__(self) -> str:
        [group], [resource], [verb] = self.rule["apiGroups"], self.rule["resources"], self.rule["verbs"]
        return f"{self.role}: {verb} {resource}{'.' if group else ''}{group}"

    def allows(self, asked: Asked) -> bool:
        names = self.rule["resourceNames"]
        return (
            self.namespace in ("", asked.namespace)
            and [asked.verb] == self.rule["verbs"]
            and [asked.group] == self.rule["apiGroups"]
            and [asked.whole] == self.rule["resources"]
            and (not names or asked.name in names)
        )


def asked_of(call: Call, answer: Answer) -> Iterator[Asked]:
    """What a call needed; nothing for discovery. An apply that created the object also needed `create`."""
    root, *parts = call.path.strip("/").split("/")
    group, rest = ("", parts[1:]) if root == "api" else (parts[0] if parts else "", parts[2:])
    if root not in ("api", "apis") or not rest:
        return
    namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 1 else ""
    resource, name, subresource = [*(rest[2:] if namespace and len(rest) > 2 else rest), "", ""][:3]
    verb = VERBS[call.method] if name else OF_COLLECTIONS.get(call.method, VERBS[call.method])
    verb = "watch" if verb == "list" and call.query.get("watch") == "true" else verb
    for needed in (verb, "create") if (verb, answer.status) == ("patch", 201) else (verb,):
        yield Asked(needed, group, resource, subresource, namespace, name)


def documents() -> list[Manifest]:
    """What `kubectl apply -k` sends."""
    ran = subprocess.run([binary(), "kustomize", EXAMPLE], capture_output=True, text=True, timeout=60, check=True)
    return list(yaml.safe_load_all(ran.stdout))


def elsewhere(right: Right) -> bool:
    """True for the rights of a router whose mesh or gateway neither the sandbox nor the real tier has: nobody can use them there."""
    return right.role.startswith("reconciler-router-") and right.role != "reconciler-router-istio"


def rights(manifests: Iterable[Manifest]) -> Iterator[Right]:
    """Everything that the roles among these grant, one by one."""
    for manifest in manifests:
        fields = manifest["metadata"]
        for rule in (manifest.get("rules") or ()) if manifest["kind"] in ("Role", "ClusterRole") else ():
            for group, resource, verb in product(rule["apiGroups"], rule["resources"], rule["verbs"]):
                single = {"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": rule.get("resourceNames") or []}
                yield Right(fields["name"], fields.get("namespace", ""), single)
