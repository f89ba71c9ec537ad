"""Objects of Argo CD and Flux as they stand in a cluster, and their kinds."""

from typing import Any

from reconciler.kernel.identity import Manifest, Resource
from reconciler.kube.client import Client
from reconciler.views.companion.appliers import APPLICATIONS, GIT_REPOSITORIES, HELM_RELEASES, KUSTOMIZATIONS
from tests.kit.clusters import CUSTOM_RESOURCES

KINDS = (APPLICATIONS, KUSTOMIZATIONS, HELM_RELEASES, GIT_REPOSITORIES)
URL = "https://git.example.com/shop/manifests.git"
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


async def define(client: Client, *kinds: Resource) -> None:
    """The tools' CustomResourceDefinitions, as far as names and versions go."""
    for kind in kinds or KINDS:
        names = {"kind": kind.kind, "listKind": f"{kind.kind}List", "plural": kind.plural, "singular": kind.kind.lower()}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": OPEN, "status": OPEN}}}
        version = {"name": kind.version, "served": True, "storage": True, "schema": schema}
        spec = {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [version]}
        manifest = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
        await client.create(CUSTOM_RESOURCES, {**manifest, "metadata": {"name": f"{kind.plural}.{kind.group}"}, "spec": spec})


def tool_object(kind: Resource, name: str, spec: Manifest, **metadata: Any) -> Manifest:
    """One object of a tool in the namespace `reconciler`."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": "reconciler", **metadata},
        "spec": spec,
    }


def application(source: Manifest | None = None, **spec: Any) -> Manifest:
    """The Application `shop` on an overlay."""
    known = {"source": {"repoURL": URL, "targetRevision": "main", "path": "overlays/prod", **(source or {})}}
    return tool_object(APPLICATIONS, "shop", {**known, "destination": {"namespace": "shop"}, **spec})


def marked(live: Manifest, **metadata: Any) -> Manifest:
    """A live object with an applier's annotations or labels."""
    return {**live, "metadata": {**live["metadata"], **metadata}}


def tracked(live: Manifest, application: str = "shop") -> Manifest:
    """As Argo CD marks what it applies."""
    name = live["metadata"]["name"]
    return marked(live, annotations={"argocd.argoproj.io/tracking-id": f"{application}:argoproj.io/Rollout:shop/{name}"})
