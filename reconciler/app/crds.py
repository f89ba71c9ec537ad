"""The CustomResourceDefinitions of `deploy/crds/`: generated from here, small enough for `kubectl apply`.

Argo's kinds have structural schemas (`crd_schemas`); our own are read strictly by ourselves and stay open. Beside a schema the API server
must know names, scopes, subresources and printer columns (contract 0.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.app.crd_schemas import schema_of
from reconciler.kernel import resources
from reconciler.kernel.identity import Manifest, Resource

Column = tuple[str, str, str]
"""(name, type, JSON path)"""
AGE: Column = ("Age", "date", ".metadata.creationTimestamp")
OPEN: Manifest = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SCALE: Manifest = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.HPAReplicas",
    "labelSelectorPath": ".status.selector",
}


@dataclass(frozen=True, slots=True)
class Definition:
    """What a CRD says about one of our kinds."""

    resource: Resource
    singular: str
    short: Sequence[str]
    columns: Sequence[Column]
    subresources: Manifest


DEFINITIONS = (
    Definition(
        resources.ROLLOUTS,
        "rollout",
        ("ro",),
        (
            ("Desired", "integer", ".spec.replicas"),
            ("Current", "integer", ".status.replicas"),
            ("Up-to-date", "integer", ".status.updatedReplicas"),
            ("Available", "integer", ".status.availableReplicas"),
            AGE,
        ),
        {"status": {}, "scale": SCALE},
    ),
    Definition(resources.ANALYSIS_RUNS, "analysisrun", ("ar",), (("Status", "string", ".status.phase"), AGE), {}),
    Definition(resources.ANALYSIS_TEMPLATES, "analysistemplate", ("at",), (AGE,), {}),
    Definition(resources.CLUSTER_ANALYSIS_TEMPLATES, "clusteranalysistemplate", ("cat",), (AGE,), {}),
    Definition(resources.EXPERIMENTS, "experiment", ("exp",), (("Status", "string", ".status.phase"), AGE), {}),
    Definition(
        resources.RELEASES,
        "release",
        ("rel",),
        (
            ("Workload", "string", ".spec.workload.name"),
            ("Environment", "string", ".spec.environment"),
            ("Phase", "string", ".status.phase"),
            ("Verdict", "string", ".status.verdict"),
            ("Held", "boolean", ".status.held"),
            AGE,
        ),
        {"status": {}},
    ),
    Definition(resources.RELEASE_POLICIES, "releasepolicy", ("rp",), (AGE,), {}),
    Definition(resources.CLUSTER_RELEASE_POLICIES, "clusterreleasepolicy", ("crp",), (AGE,), {}),
)


def custom_resources() -> list[Manifest]:
    """One CustomResourceDefinition per kind we serve."""
    return [_render(definition) for definition in DEFINITIONS]


def _render(definition: Definition) -> Manifest:
    resource = definition.resource
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": definition.singular,
                "shortNames": list(definition.short),
            },
            "versions": [_version(definition)],
        },
    }


def _version(definition: Definition) -> Manifest:
    columns = [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in definition.columns]
    version: Manifest = {
        "name": definition.resource.version,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": _schema(definition.resource)},
    }
    if definition.subresources:
        version["subresources"] = definition.subresources
    return version


def _schema(resource: Resource) -> Manifest:
    if resource.group == resources.ROLLOUTS.group:
        return dict(schema_of(resource.kind))
    return {"type": "object", "properties": {"spec": OPEN, "status": OPEN}}
