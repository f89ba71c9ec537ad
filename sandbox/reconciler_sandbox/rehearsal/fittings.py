"""What a stage is fitted with: the kinds of Istio and the Gateway API, namespaces, and the files the daemon and people are given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from reconciler.app.crds import custom_resources
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import DESTINATION_RULES, GATEWAYS, VIRTUAL_SERVICES
from reconciler.routers.gateway_api import GROUP, GRPC_ROUTES, HTTP_ROUTES

NAMESPACES = ("shop", "istio-ingress", "istio-system", "reconciler")
ISTIO = (VIRTUAL_SERVICES, DESTINATION_RULES, GATEWAYS)
GATEWAY_API = (Resource(GROUP, "v1", "gateways", "Gateway"), HTTP_ROUTES, GRPC_ROUTES)
ISTIO_VERSIONS = ("v1alpha3", "v1beta1", "v1")
REPOSITORY = "shop/manifests"
ENVIRONMENT = "demo"
FOLLOWED = {"shop": f"environments/{ENVIRONMENT}", "storefront": f"storefront/overlays/{ENVIRONMENT}", "search": "search"}
"""The sources of a sample repository, as far as it has their folders."""
ASIDE = {"catalog": f"catalog/{ENVIRONMENT}"}
"""Those that only the whole demo follows."""
FURTHER_KINDS: Mapping[str, Sequence[str]] = {"catalog": ("Ingress.networking.k8s.io",)}
"""What a source may write beside what all may."""
CHARTS: Mapping[str, Mapping[str, Any]] = {"search": {"valueFiles": [f"values-{ENVIRONMENT}.yaml"]}}
"""How the charts among them are rendered."""
APPROVED = {"api-approved.kubernetes.io": "unapproved, a stand-in for its names and versions"}
"""A server takes no definition of a group below k8s.io without it."""
BOT, PERSON = "reconciler", "ann"
KINDS = (
    "ConfigMap",
    "Deployment",
    "Service",
    "Rollout.argoproj.io",
    "AnalysisTemplate.argoproj.io",
    "ClusterAnalysisTemplate.argoproj.io",
    "Gateway.networking.istio.io",
    "VirtualService.networking.istio.io",
    "DestinationRule.networking.istio.io",
    "ReleasePolicy.reconciler.dev",
)
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definitions() -> list[Manifest]:
    """The CustomResourceDefinitions: ours as deployed, Istio's and the Gateway API's as far as names and versions go."""
    foreign = [*((resource, ISTIO_VERSIONS) for resource in ISTIO), *((resource, ("v1",)) for resource in GATEWAY_API)]
    return [*custom_resources(), *(_foreign_definition(resource, versions) for resource, versions in foreign)]


def _foreign_definition(resource: Resource, versions: Sequence[str]) -> Manifest:
    names = {"kind": resource.kind, "listKind": f"{resource.kind}List", "plural": resource.plural, "singular": resource.kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}", "annotations": dict(APPROVED)},
        "spec": {"group": resource.group, "scope": "Namespaced", "names": names, "versions": [_version(name) for name in versions]},
    }


def _version(name: str) -> Mapping[str, Any]:
    schema = {"type": "object", "properties": {"spec": OPEN, "status": OPEN}}
    return {"name": name, "served": True, "storage": name == "v1", "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}


def namespaces(names: Sequence[str] = NAMESPACES) -> Sequence[Manifest]:
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]


def kubeconfig(server: str) -> str:
    """A kubeconfig for one server without credentials, namespace shop."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "rehearsal",
            "clusters": [{"name": "rehearsal", "cluster": {"server": server}}],
            "contexts": [{"name": "rehearsal", "context": {"cluster": "rehearsal", "user": "rehearsal", "namespace": "shop"}}],
            "users": [{"name": "rehearsal", "user": {}}],
        },
        sort_keys=False,
    )


def followed(sample: Path, folders: Mapping[str, str] = FOLLOWED) -> Mapping[str, str]:
    """The sources of a sample repository: name and folder."""
    return {name: path for name, path in folders.items() if (sample / path).is_dir()}


def settings(*, repository: str, forge: str, prometheus: str, listen: str, token_file: Path) -> str:
    """The `reconciler.yaml` of the rehearsal: everything as in production, but the intervals are short."""
    source = {
        "name": "shop",
        "repository": repository,
        "branch": "main",
        "path": FOLLOWED["shop"],
        "environment": ENVIRONMENT,
        "interval": "1s",
        "apply": True,
        "allow": {"namespaces": ["shop", "istio-ingress"], "kinds": list(KINDS)},
        "credentials": {"username": BOT, "passwordFile": str(token_file)},
        "forge": {"kind": "github", "api": forge, "repository": REPOSITORY, "tokenFile": str(token_file)},
        "committer": {"name": "reconciler", "email": "reconciler@example.com"},
    }
    document = {
        "namespace": "reconciler",
        "listen": listen,
        "prometheus": prometheus,
        "lease": {"duration": "6s", "renewEvery": "2s"},
        "sources": [source],
    }
    return yaml.safe_dump(document, sort_keys=False, width=140)


def with_sources(written: str, folders: Mapping[str, str]) -> str:
    """Settings with one source for each folder, else alike."""
    document = yaml.safe_load(written)
    (known,) = document["sources"]
    document["sources"] = [_source(known, name, path) for name, path in folders.items()] or [known]
    return yaml.safe_dump(document, sort_keys=False, width=140)


def _source(known: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    allow = {**known["allow"], "kinds": [*known["allow"]["kinds"], *FURTHER_KINDS.get(name, ())]}
    chart = {"helm": CHARTS[name]} if name in CHARTS else {}
    return {**known, "name": name, "path": path, "allow": allow, **chart}


def secret_file(path: Path, text: str) -> Path:
    """A file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path
