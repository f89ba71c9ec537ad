"""The manifests of a tale: one workload in the strategy that it names, its analysis and its policy. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.hunt.tale import Tale
from reconciler_sandbox.rehearsal.virtual.script import VERSIONS
from reconciler_sandbox.rehearsal.virtual.world import Ground

Manifest = dict[str, Any]
IMAGE = "registry.example.com/shop/web"
NAMESPACE, NAME = "shop", "web"
FILE, POLICY_FILE, BESIDE = "web.yaml", "policy.yaml", "beside.yaml"
SECRET = "hunter-s3cr3t-value"
MOST_VERSIONS = 24
KINDS = (
    "ConfigMap",
    "Deployment",
    "Service",
    "Rollout.argoproj.io",
    "AnalysisTemplate.argoproj.io",
    "VirtualService.networking.istio.io",
    "DestinationRule.networking.istio.io",
    "ReleasePolicy.reconciler.dev",
)
OF_VERSION = 'reporter="source",destination_canonical_revision="{{args.version}}"'
GOOD = f'{OF_VERSION},response_code!~"5..",team!="{{{{args.token}}}}"'
QUERY = f"(sum(rate(istio_requests_total{{{GOOD}}}[10s])) or vector(0)) / sum(rate(istio_requests_total{{{OF_VERSION}}}[10s]))"
ANALYSED: Manifest = {
    "templates": [{"templateName": "success-rate"}],
    "args": [{"name": "version", "valueFrom": {"podTemplateHashValue": "Latest"}}],
}


def ground_of(tale: Tale, folder: Path) -> Ground:
    """What the world of a tale is made of."""
    behaviours: dict[str, Behaviour] = {f"{IMAGE}:1.0": Behaviour("first")}
    for number in range(MOST_VERSIONS):
        behaviours |= {f"{IMAGE}:{name}-{number}": behaviour for name, behaviour in VERSIONS.items()}
    return Ground(
        files=files_of(tale),
        behaviours=behaviours,
        namespaces=(NAMESPACE,),
        kinds=KINDS,
        folder=folder,
        seed=tale.seed if tale.stage is None else tale.stage,
        namespace=NAMESPACE,
        interval=timedelta(seconds=20 if tale.brief else 10),
        told=tale.told,
    )


def files_of(tale: Tale) -> Mapping[str, bytes]:
    """Every file of the repository."""
    return {
        FILE: _yaml(*_workload(tale), *_network(tale)),
        "analysis.yaml": _yaml(_template()),
        POLICY_FILE: policy_file(tale, {}),
        BESIDE: _yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "beside"}, "data": {"count": "0"}}),
    }


def policy_file(tale: Tale, changed: Mapping[str, str]) -> bytes:
    """The policy's file, with some of its words changed."""
    spec: Manifest = {"workloads": [{"kind": "Rollout", "name": NAME}], "crashRestarts": 2, "measureAgain": {"after": "1m"}}
    spec |= {name: int(value) if value.isdigit() else value for name, value in {**tale.policy, **changed}.items()}
    if tale.analysis == "after":
        spec["afterPromotion"] = {"window": "40s", "analysis": ANALYSED}
    return _yaml({"apiVersion": "reconciler.dev/v1alpha1", "kind": "ReleasePolicy", "metadata": {"name": NAME}, "spec": spec})


def _yaml(*manifests: Manifest) -> bytes:
    return "---\n".join(yaml.safe_dump(manifest, sort_keys=False, width=400) for manifest in manifests).encode()


def _workload(tale: Tale) -> list[Manifest]:
    template = {
        "metadata": {"labels": {"app": NAME}, "annotations": {"note": "n0"}},
        "spec": {
            "containers": [
                {
                    "name": NAME,
                    "image": f"{IMAGE}:1.0",
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "env": [{"name": "MODE", "value": "m0"}],
                }
            ]
        },
    }
    selector = {"matchLabels": {"app": NAME}}
    rollout: Manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": NAME}}
    spec: Manifest = {"replicas": 2 if tale.brief else 4, "revisionHistoryLimit": 3, "progressDeadlineSeconds": 90}
    strategy = {"strategy": _strategy(tale)}
    if not tale.borrowed:
        return [{**rollout, "spec": {**spec, "selector": selector, "template": template, **strategy}}]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME}
    lender = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}}
    lender["spec"] = {"replicas": 0, "selector": selector, "template": template}
    return [lender, {**rollout, "spec": {**spec, "workloadRef": reference, **strategy}}]


def _strategy(tale: Tale) -> Manifest:
    if tale.strategy.startswith("blue-green"):
        return {"blueGreen": _blue_green(tale)}
    canary: Manifest = {"maxSurge": 1, "maxUnavailable": 0, "steps": _steps(tale)}
    if tale.strategy == "canary-istio":
        istio = {"virtualService": {"name": NAME, "routes": ["primary"]}}
        canary |= {"canaryService": f"{NAME}-canary", "stableService": f"{NAME}-stable", "trafficRouting": {"istio": istio}}
        canary["trafficRouting"]["managedRoutes"] = [{"name": "testers"}]
    if tale.strategy == "canary-subsets":
        rule = {"name": NAME, "canarySubsetName": "canary", "stableSubsetName": "stable"}
        canary["trafficRouting"] = {"istio": {"virtualService": {"name": NAME}, "destinationRule": rule}}
    if tale.dynamic:
        canary["dynamicStableScale"] = True
    if tale.analysis == "background":
        canary["analysis"] = {**ANALYSED, "startingStep": 1}
    return {"canary": canary}


def _steps(tale: Tale) -> list[Manifest]:
    tested: list[Manifest] = []
    if tale.strategy == "canary-istio":
        header = {"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]}
        tested = [{"setCanaryScale": {"replicas": 1}}, {"setHeaderRoute": header}, {"pause": {"duration": 15}}]
        tested.append({"setCanaryScale": {"matchTrafficWeight": True}})
    measured = [{"analysis": ANALYSED}] if tale.analysis == "step" else [{"pause": {"duration": 20}}]
    if tale.brief:
        return [*tested, {"setWeight": 25}, *measured, {"setWeight": 50}, {"pause": {"duration": 10}}]
    return [*tested, {"setWeight": 25}, {"pause": {"duration": 20}}, *measured, {"setWeight": 50}, {"pause": {"duration": 20}}]


def _blue_green(tale: Tale) -> Manifest:
    found: Manifest = {"activeService": f"{NAME}-stable", "previewService": f"{NAME}-canary", "scaleDownDelaySeconds": 60}
    if tale.strategy == "blue-green-manual":
        found["autoPromotionEnabled"] = False
    else:
        found["autoPromotionSeconds"] = 20
    if tale.analysis == "step":
        found["prePromotionAnalysis"] = ANALYSED
    if tale.analysis == "background":
        found["postPromotionAnalysis"] = ANALYSED
    return found


def _network(tale: Tale) -> list[Manifest]:
    if tale.strategy == "canary-basic":
        return [_service(NAME)]
    if tale.strategy.startswith("blue-green"):
        return [_service(f"{NAME}-stable"), _service(f"{NAME}-canary")]
    virtual: Manifest = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": NAME}}
    if tale.strategy == "canary-subsets":
        names = ({"host": NAME, "subset": "stable"}, {"host": NAME, "subset": "canary"})
        subsets = [{"name": "stable", "labels": {"app": NAME}}, {"name": "canary", "labels": {"app": NAME}}]
        rule: Manifest = {"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": NAME}}
        beside = [_service(NAME), {**rule, "spec": {"host": NAME, "subsets": subsets}}]
    else:
        names = ({"host": f"{NAME}-stable"}, {"host": f"{NAME}-canary"})
        beside = [_service(f"{NAME}-stable"), _service(f"{NAME}-canary")]
    route = [{"destination": name, "weight": weight} for name, weight in zip(names, (100, 0), strict=True)]
    virtual["spec"] = {"hosts": [f"{NAME}.example.com"], "http": [{"name": "primary", "route": route}]}
    return [*beside, virtual]


def _service(name: str) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": NAME}, "ports": ports},
    }


def _template() -> Manifest:
    limit = "len(result) > 0 && !isNaN(result[0]) && result[0]"
    metric = {
        "name": "success-rate",
        "initialDelay": "12s",
        "interval": "5s",
        "count": 3,
        "failureLimit": 1,
        "inconclusiveLimit": 3,
        "successCondition": f"{limit} >= 0.95",
        "failureCondition": f"{limit} < 0.95",
        "provider": {"prometheus": {"query": QUERY}},
    }
    secret = {"name": "token", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}}
    spec = {"args": [{"name": "version"}, secret], "metrics": [metric]}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "success-rate"}, "spec": spec}
