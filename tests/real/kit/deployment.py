"""What `deploy/` installs, put on a real cluster by a real kubectl, and the rights it grants to the daemon."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from reconciler.sandbox.apiserver.rights import Asked, covers
from reconciler.sandbox.client import Caller
from tests.kit.kubectl import Kubectl, binary
from tests.real.kit.accounts import token_of, user_name
from tests.real.kit.audit import Entry

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
EXAMPLE = DEPLOY / "overlays" / "example"
NAMESPACE, ACCOUNT = "reconciler", "reconciler"
DAEMON = user_name(NAMESPACE, ACCOUNT)
FOLLOWED = ("shop", "istio-ingress")
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

    def used_by(self, entry: Entry) -> bool:
        return self.namespace in ("", entry.namespace) and any(covers(self.rule, asked) for asked in asked_by(entry))


def asked_by(entry: Entry) -> Iterator[Asked]:
    """What a request needs to be allowed. An apply that created the object also needed `create`."""
    resource, _, subresource = entry.resource.partition("/")
    for verb in ("patch", "create") if (entry.verb, entry.code) == ("patch", 201) else (entry.verb,):
        yield Asked(verb, entry.group, resource, subresource, entry.namespace, entry.name)


def documents() -> list[Manifest]:
    """What `kubectl apply -k` sends."""
    ran = subprocess.run([binary(), "kustomize", EXAMPLE], capture_output=True, text=True, timeout=60, check=True)
    return list(yaml.safe_load_all(ran.stdout))


def rights(manifests: Iterable[Manifest]) -> Iterator[Right]:
    """Everything that the roles among these grant, one by one."""
    for manifest in manifests:
        fields = manifest["metadata"]
        for rule in (manifest.get("rules") or ()) if manifest["kind"] in ("Role", "ClusterRole") else ():
            for group, resource, verb in product(rule["apiGroups"], rule["resources"], rule["verbs"]):
                single = {"apiGroups": [group], "resources": [resource], "verbs": [verb], "resourceNames": rule.get("resourceNames") or []}
                yield Right(fields["name"], fields.get("namespace", ""), single)


async def installed(call: Caller, kubectl: Kubectl) -> str:
    """Install as deploy/base says; the token of the daemon's account, which nobody else uses."""
    await kubectl(f"apply -f {DEPLOY / 'crds'}")
    for namespace in FOLLOWED:
        await kubectl(f"create namespace {namespace}")
    await kubectl(f"apply -k {EXAMPLE}")
    await kubectl(f"-n {NAMESPACE} delete deployment {ACCOUNT}")  # its image is nowhere; the daemon runs beside the cluster
    return await token_of(call, NAMESPACE, ACCOUNT)
