"""What the roles of `deploy/` grant, right by right, so that a record of what was asked can be held against it."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from reconciler_sandbox.apiserver.rights import Asked, covers

from tests.kit.kubectl import binary

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
EXAMPLE = DEPLOY / "overlays" / "example"
Manifest = dict[str, Any]


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
        return self.namespace in ("", asked.namespace) and covers(self.rule, asked)


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
