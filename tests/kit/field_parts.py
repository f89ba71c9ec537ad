"""What the field's examples are made of: kinds, Services, templates of analyses, routes."""

from reconciler.kernel.identity import Manifest

POD: Manifest = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {
        "containers": [
            {
                "name": "shop",
                "image": "registry.example.com/shop:1.0",
                "ports": [{"name": "http", "containerPort": 8080}],
                "resources": {"requests": {"memory": "32Mi", "cpu": "5m"}},
            }
        ]
    },
}
PAIR = {"canaryService": "shop-canary", "stableService": "shop-stable"}
STEPS = [{"setWeight": 20}, {"pause": {"duration": "1m"}}, {"setWeight": 60}, {"pause": {"duration": 60}}]
TEMPLATES = {"templates": [{"templateName": "success-rate"}]}
ARGS = {"args": [{"name": "service", "value": "shop-canary.default.svc.cluster.local"}]}


def rollout(strategy: Manifest, **spec: object) -> Manifest:
    body = {"replicas": 5, "selector": {"matchLabels": {"app": "shop"}}, "template": POD, **spec, "strategy": strategy}
    if "workloadRef" in spec:
        del body["template"], body["selector"]
    return kind("Rollout", "shop", body)


def kind(name: str, called: str, spec: Manifest, api: str = "argoproj.io/v1alpha1", **metadata: object) -> Manifest:
    return {"apiVersion": api, "kind": name, "metadata": {"name": called, **metadata}, "spec": spec}


def service(name: str) -> Manifest:
    ports = [{"port": 80, "targetPort": "http", "protocol": "TCP", "name": "http"}]
    return kind("Service", name, {"ports": ports, "selector": {"app": "shop"}}, "v1")


SERVICES = [service("shop-stable"), service("shop-canary")]


def template(provider: Manifest, *, of: str = "AnalysisTemplate", name: str = "success-rate", more: Manifest | None = None) -> Manifest:
    metric = {"name": "success-rate", "interval": "30s", "count": 4, "successCondition": "result[0] >= 0.95", "failureLimit": 1}
    return kind(of, name, {"args": [{"name": "service"}], "metrics": [{**metric, "provider": provider, **(more or {})}]})


PROMETHEUS: Manifest = {
    "prometheus": {"address": "http://prometheus.example.com:9090", "query": "sum(rate(ok{service='{{args.service}}'}[5m]))"}
}


def canary(*steps: Manifest, **fields: object) -> Manifest:
    return {"canary": {"steps": [*(steps or STEPS)], **fields}}


def behind(routing: Manifest, *steps: Manifest, **fields: object) -> Manifest:
    return canary(*steps, **PAIR, trafficRouting=routing, **fields)


def green(**fields: object) -> Manifest:
    return {"blueGreen": {"activeService": "shop-stable", "previewService": "shop-canary", **fields}}


def virtual(*routes: Manifest, name: str = "shop", **spec: object) -> Manifest:
    return kind("VirtualService", name, {"hosts": [name], "http": list(routes), **spec}, "networking.istio.io/v1alpha3")


def to(host: str, weight: int, subset: str = "") -> Manifest:
    return {"destination": {"host": host, **({"subset": subset} if subset else {})}, "weight": weight}


HOSTS = {"name": "primary", "route": [to("shop-stable", 100), to("shop-canary", 0)]}
SUBSETS = {"name": "primary", "route": [to("shop", 100, "stable"), to("shop", 0, "canary")]}
RULE = kind(
    "DestinationRule",
    "shop",
    {"host": "shop", "subsets": [{"name": name, "labels": {"app": "shop"}} for name in ("canary", "stable")]},
    "networking.istio.io/v1alpha3",
)
RULED = {"destinationRule": {"name": "shop", "canarySubsetName": "canary", "stableSubsetName": "stable"}}
TESTERS = {"setHeaderRoute": {"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]}}
SHADOW = {"setMirrorRoute": {"name": "testers", "percentage": 30, "match": [{"method": {"exact": "GET"}, "path": {"prefix": "/"}}]}}
ONE_POD = {"setCanaryScale": {"replicas": 1}}
ISTIO = {"istio": {"virtualService": {"name": "shop", "routes": ["primary"]}}}


def ingress(**annotations: str) -> Manifest:
    backend = {"service": {"name": "shop-stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec = {"ingressClassName": "nginx", "rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]}
    return kind("Ingress", "shop", spec, "networking.k8s.io/v1", annotations=annotations)


def alb(root: str = "shop-stable") -> Manifest:
    path = {"path": "/*", "pathType": "ImplementationSpecific", "backend": {"service": {"name": root, "port": {"name": "use-annotation"}}}}
    spec = {"ingressClassName": "alb", "rules": [{"http": {"paths": [path]}}]}
    return kind("Ingress", "shop", spec, "networking.k8s.io/v1")


def measuring(provider: Manifest, more: Manifest | None = None) -> list[Manifest]:
    """A template, and a rollout that has it as a step."""
    return [rollout(canary({"setWeight": 20}, {"analysis": {**TEMPLATES, **ARGS}})), template(provider, more=more)]


ONE = {"successCondition": "result >= 0.95"}
SPLIT = kind("TrafficSplit", "shop-split", {"service": "shop", "backends": []}, "split.smi-spec.io/v1alpha1")
MAPPING = kind("Mapping", "shop", {"prefix": "/shop/", "service": "shop-stable:80", "hostname": "*"}, "getambassador.io/v2")
WEIGHTED = {"services": [{"name": "shop-stable", "port": 80, "kind": "Service"}, {"name": "shop-canary", "port": 80, "kind": "Service"}]}
TRAEFIK = kind("TraefikService", "shop", {"weighted": WEIGHTED}, "traefik.io/v1alpha1")
BACKENDS = [{"serviceName": "shop-stable", "servicePort": 80}, {"serviceName": "shop-canary", "servicePort": 80}]
APISIX = kind("ApisixRoute", "shop", {"http": [{"name": "shop", "match": {"paths": ["/*"]}, "backends": BACKENDS}]}, "apisix.apache.org/v2")
NODES = {"canaryVirtualNodeRef": {"name": "shop-canary"}, "stableVirtualNodeRef": {"name": "shop-stable"}}
TARGETS = [{"virtualNodeRef": node, "weight": weight} for node, weight in zip(NODES.values(), (0, 100), strict=True)]
APP_MESH = [
    kind("VirtualService", "shop", {"provider": {"virtualRouter": {"virtualRouterRef": {"name": "shop"}}}}, "appmesh.k8s.aws/v1beta2"),
    kind(
        "VirtualRouter",
        "shop",
        {"routes": [{"name": "shop", "httpRoute": {"action": {"weightedTargets": TARGETS}}}]},
        "appmesh.k8s.aws/v1beta2",
    ),
    *[
        kind("VirtualNode", node["name"], {"podSelector": {"matchLabels": {"app": "shop"}}}, "appmesh.k8s.aws/v1beta2")
        for node in NODES.values()
    ],
]
JOB = {"backoffLimit": 1, "template": {"spec": {"containers": [{"name": "test", "image": "test:1"}], "restartPolicy": "Never"}}}
SIDE = {"scope": "app=shop", "step": 60}
KAYENTA = {
    "address": "http://kayenta.example.com",
    "application": "shop",
    "canaryConfigName": "shop",
    "metricsAccountName": "prometheus",
    "configurationAccountName": "store",
    "storageAccountName": "store",
    "threshold": {"pass": 90, "marginal": 75},
    "scopes": [{"name": "default", "controlScope": SIDE, "experimentScope": SIDE}],
}
BORROWED = kind("Deployment", "shop", {"replicas": 0, "selector": {"matchLabels": {"app": "shop"}}, "template": POD}, "apps/v1")
REFERENCE = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
POD_TEMPLATE = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "shop"}, "template": POD}
TARGET = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "shop"}
USE = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
AUTOSCALER = kind(
    "HorizontalPodAutoscaler", "shop", {"scaleTargetRef": TARGET, "minReplicas": 2, "maxReplicas": 9, "metrics": [USE]}, "autoscaling/v2"
)
VERSION = {"name": "purple", "selector": {"matchLabels": {"app": "shop"}}, "template": POD}
WEB = {
    "web": {
        "url": "https://shop.example.com/health",
        "timeoutSeconds": 20,
        "headers": [{"key": "Authorization", "value": "Bearer {{args.token}}"}],
    }
}
TOKEN = {"name": "token", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "token"}}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"}, "stringData": {"token": "example"}}
