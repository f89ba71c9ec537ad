"""More manifests of the shapes that the field's examples have, put together from parts: strategies, routers, providers, kinds."""

from collections.abc import Iterable, Mapping

import yaml

from reconciler.kernel.identity import Manifest
from tests.kit.field_parts import (
    APISIX,
    APP_MESH,
    ARGS,
    AUTOSCALER,
    BORROWED,
    HOSTS,
    ISTIO,
    JOB,
    KAYENTA,
    MAPPING,
    NODES,
    ONE,
    ONE_POD,
    POD_TEMPLATE,
    PROMETHEUS,
    REFERENCE,
    RULE,
    RULED,
    SECRET,
    SERVICES,
    SHADOW,
    STEPS,
    SUBSETS,
    TEMPLATES,
    TESTERS,
    TOKEN,
    TRAEFIK,
    VERSION,
    WEB,
    alb,
    behind,
    canary,
    green,
    ingress,
    kind,
    measuring,
    rollout,
    service,
    template,
    virtual,
)

STRATEGIES: Mapping[str, Iterable[Manifest]] = {
    "no steps": [rollout({"canary": {}})],
    "surge and unavailable as percentages": [rollout(canary(maxSurge="50%", maxUnavailable="25%"))],
    "anti-affinity preferred": [
        rollout(canary(antiAffinity={"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 1}})),
    ],
    "anti-affinity required": [rollout(green(antiAffinity={"requiredDuringSchedulingIgnoredDuringExecution": {}})), *SERVICES],
    "roles as labels": [
        rollout(canary(canaryMetadata={"labels": {"role": "canary"}}, stableMetadata={"labels": {"role": "stable"}})),
    ],
    "roles of blue/green": [
        rollout(green(previewMetadata={"labels": {"role": "preview"}}, activeMetadata={"labels": {"role": "active"}})),
        *SERVICES,
    ],
    "rollback window": [rollout(canary(), rollbackWindow={"revisions": 3}, revisionHistoryLimit=5)],
    "a deadline that aborts": [rollout(canary(), progressDeadlineSeconds=600, progressDeadlineAbort=True, minReadySeconds=10)],
    "a small preview": [rollout(green(previewReplicaCount=1, autoPromotionSeconds=30, scaleDownDelaySeconds=60)), *SERVICES],
    "no preview": [rollout({"blueGreen": {"activeService": "shop-stable"}}), SERVICES[0]],
    "analyses around a promotion": [
        rollout(green(prePromotionAnalysis={**TEMPLATES, **ARGS}, postPromotionAnalysis={**TEMPLATES, **ARGS})),
        *SERVICES,
        template(PROMETHEUS),
    ],
    "analysis in the background": [
        rollout(canary(analysis={**TEMPLATES, **ARGS, "startingStep": 1})),
        template(PROMETHEUS, more={"count": None}),
    ],
    "a template for every namespace": [
        rollout(canary({"analysis": {"templates": [{"templateName": "success-rate", "clusterScope": True}], **ARGS}})),
        template(PROMETHEUS, of="ClusterAnalysisTemplate"),
    ],
    "dry run and retention": [
        rollout(
            canary(
                {
                    "analysis": {
                        **TEMPLATES,
                        **ARGS,
                        "dryRun": [{"metricName": "success.*"}],
                        "measurementRetention": [{"metricName": "success-rate", "limit": 20}],
                    }
                }
            )
        ),
        template(PROMETHEUS),
    ],
    "arguments of the pods": [
        rollout(
            canary(
                {
                    "analysis": {
                        **TEMPLATES,
                        "args": [
                            {"name": "service", "valueFrom": {"podTemplateHashValue": "Latest"}},
                            {"name": "region", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['region']"}}},
                        ],
                    }
                }
            )
        )
        | {"metadata": {"name": "shop", "labels": {"region": "eu"}}},
        kind(
            "AnalysisTemplate",
            "success-rate",
            {
                "args": [{"name": "service"}, {"name": "region"}],
                "metrics": [
                    {
                        "name": "m",
                        "successCondition": "len(result) == 0 || result[0] < 0.05",
                        "failureCondition": "len(result) > 0 && result[0] >= 0.10",
                        "count": 3,
                        "interval": "1m",
                        "provider": {"prometheus": {"query": "a{hash='{{args.service}}', region='{{args.region}}'}"}},
                    }
                ],
            },
        ),
    ],
    "an experiment with an analysis": [
        rollout(
            canary(
                {
                    "experiment": {
                        "duration": "5m",
                        "templates": [{"name": "baseline", "specRef": "stable"}, {"name": "canary", "specRef": "canary", "replicas": 2}],
                        "analyses": [{"name": "compare", "templateName": "success-rate", **ARGS, "requiredForCompletion": True}],
                    }
                }
            )
        ),
        template(PROMETHEUS),
    ],
    "an experiment of its own": [kind("Experiment", "shop", {"duration": "5m", "progressDeadlineSeconds": 30, "templates": [VERSION]})],
    "a run of its own": [
        kind("AnalysisRun", "smoke", {"metrics": [{"name": "smoke", "provider": {"job": {"spec": JOB}}}]}),
    ],
    "a Deployment behind": [rollout(canary(), workloadRef={**REFERENCE, "scaleDown": "onsuccess"}), BORROWED],
    "a Deployment that shrinks along": [rollout(canary(), workloadRef={**REFERENCE, "scaleDown": "progressively"}), BORROWED],
    "a PodTemplate behind": [
        {**(made := rollout(canary(), workloadRef={"apiVersion": "v1", "kind": "PodTemplate", "name": "shop"}))}
        | {"spec": {**made["spec"], "selector": {"matchLabels": {"app": "shop"}}}},
        POD_TEMPLATE,
    ],
    "an autoscaler": [{**(it := rollout(canary())), "spec": {k: v for k, v in it["spec"].items() if k != "replicas"}}, AUTOSCALER],
    "a restart": [rollout(canary(), restartAt="2026-03-30T21:19:35Z")],
}
ROUTERS: Mapping[str, Iterable[Manifest]] = {
    "Istio by subsets": [
        rollout(canary(trafficRouting={"istio": {"virtualService": {"name": "shop"}, **RULED}})),
        virtual(SUBSETS),
        RULE,
        service("shop"),
    ],
    "Istio in several VirtualServices": [
        rollout(behind({"istio": {"virtualServices": [{"name": "shop", "routes": ["primary"]}, {"name": "edge", "routes": ["primary"]}]}})),
        virtual(HOSTS),
        virtual(HOSTS, name="edge"),
        *SERVICES,
    ],
    "Istio for testers": [
        rollout(behind({**ISTIO, "managedRoutes": [{"name": "testers"}]}, ONE_POD, TESTERS, {"pause": {}}, *STEPS)),
        virtual(HOSTS),
        *SERVICES,
    ],
    "Istio mirrors": [
        rollout(behind({**ISTIO, "managedRoutes": [{"name": "testers"}]}, ONE_POD, SHADOW, {"pause": {"duration": "10m"}})),
        virtual(HOSTS),
        *SERVICES,
    ],
    "Istio and TCP": [
        rollout(behind({"istio": {"virtualService": {"name": "shop", "tcpRoutes": [{"port": 3000}]}}})),
        kind(
            "VirtualService",
            "shop",
            {"hosts": ["shop"], "tcp": [{"match": [{"port": 3000}], "route": HOSTS["route"]}]},
            "networking.istio.io/v1alpha3",
        ),
        *SERVICES,
    ],
    "stable grows smaller": [rollout(behind(ISTIO, dynamicStableScale=True, abortScaleDownDelaySeconds=30)), virtual(HOSTS), *SERVICES],
    "a floor of pods": [rollout(behind(ISTIO, minPodsPerReplicaSet=2, scaleDownDelaySeconds=60)), virtual(HOSTS), *SERVICES],
    "ping and pong behind an ALB": [
        rollout(
            canary(
                pingPong={"pingService": "shop-stable", "pongService": "shop-canary"},
                trafficRouting={"alb": {"ingress": "shop", "rootService": "shop-root", "servicePort": 80}},
            )
        ),
        alb("shop-root"),
        service("shop-root"),
        *SERVICES,
    ],
    "ALB": [rollout(behind({"alb": {"ingress": "shop", "servicePort": 80}})), alb(), *SERVICES],
    "nginx": [rollout(behind({"nginx": {"stableIngress": "shop"}})), ingress(), *SERVICES],
    "nginx with annotations": [
        rollout(
            behind(
                {
                    "nginx": {
                        "stableIngress": "shop",
                        "annotationPrefix": "nginx.ingress.kubernetes.io",
                        "additionalIngressAnnotations": {"canary-by-header": "X-Canary", "canary-by-header-value": "iwantsit"},
                    }
                }
            )
        ),
        ingress(),
        *SERVICES,
    ],
    "nginx in thousandths": [
        rollout(behind({"nginx": {"stableIngress": "shop"}, "maxTrafficWeight": 1000}, {"setWeight": 5}, {"pause": {"duration": "1m"}})),
        ingress(),
        *SERVICES,
    ],
    "SMI": [rollout(behind({"smi": {"rootService": "shop", "trafficSplitName": "shop-split"}})), service("shop"), *SERVICES],
    "Ambassador": [rollout(behind({"ambassador": {"mappings": ["shop"]}})), MAPPING, *SERVICES],
    "App Mesh": [
        rollout(behind({"appMesh": {"virtualService": {"name": "shop", "routes": ["shop"]}, "virtualNodeGroup": NODES}})),
        *APP_MESH,
        *SERVICES,
    ],
    "Traefik": [rollout(behind({"traefik": {"weightedTraefikServiceName": "shop"}})), TRAEFIK, *SERVICES],
    "APISIX": [rollout(behind({"apisix": {"route": {"name": "shop", "rules": ["shop"]}}})), APISIX, *SERVICES],
    "Gateway API": [
        rollout(behind({"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "shop", "namespace": "default"}}})),
        kind(
            "HTTPRoute",
            "shop",
            {
                "parentRefs": [{"name": "edge"}],
                "rules": [{"backendRefs": [{"name": "shop-stable", "port": 80}, {"name": "shop-canary", "port": 80}]}],
            },
            "gateway.networking.k8s.io/v1",
            namespace="default",
        ),
        *SERVICES,
    ],
}
PROVIDERS: Mapping[str, Iterable[Manifest]] = {
    "Prometheus": measuring(PROMETHEUS),
    "Datadog": measuring({"datadog": {"apiVersion": "v2", "interval": "5m", "query": "sum:requests.error{service:{{args.service}}}"}}, ONE),
    "New Relic": measuring(
        {"newRelic": {"profile": "shop", "query": "FROM Transaction SELECT percentage(count(*), WHERE ok) AS 'ok'"}},
        {"successCondition": "result.ok >= 0.95"},
    ),
    "Wavefront": measuring({"wavefront": {"address": "example.wavefront.com", "query": "ts({{args.service}})"}}, ONE),
    "CloudWatch": measuring(
        {
            "cloudWatch": {
                "interval": "30m",
                "metricDataQueries": [
                    {"id": "rate", "expression": "errors / requests"},
                    {
                        "id": "errors",
                        "metricStat": {
                            "metric": {
                                "namespace": "app",
                                "metricName": "errors",
                                "dimensions": [{"name": "service", "value": "{{args.service}}"}],
                            },
                            "period": 300,
                            "stat": "Sum",
                        },
                        "returnData": False,
                    },
                    {
                        "id": "requests",
                        "metricStat": {"metric": {"namespace": "app", "metricName": "requests"}, "period": 300, "stat": "Sum"},
                        "returnData": False,
                    },
                ],
            }
        },
        {"successCondition": "all(result[0].Values, {# <= 0.01})"},
    ),
    "Graphite": measuring(
        {"graphite": {"address": "http://graphite.example.com:9090", "query": "target=sumSeries(shop.errors)&from=-5min"}}
    ),
    "InfluxDB": measuring({"influxdb": {"profile": "shop", "query": 'from(bucket: "app") |> range(start: -15m)'}}),
    "Kayenta": measuring({"kayenta": KAYENTA}, {"successCondition": None}),
    "SkyWalking": measuring(
        {"skywalking": {"address": "http://skywalking.example.com", "interval": "3m", "query": "query q($duration: Duration!) { a }"}},
        {"successCondition": "all(result.service_apdex.values.values, {asFloat(.value) >= 9900})"},
    ),
    "a Job": measuring({"job": {"spec": JOB}}, {"successCondition": None, "count": 1, "interval": None, "failureLimit": None}),
    "the web": [
        rollout(canary({"analysis": {"templates": [{"templateName": "web"}], **ARGS}})),
        kind(
            "AnalysisTemplate",
            "web",
            {
                "args": [{"name": "service"}, TOKEN],
                "metrics": [
                    {"name": "web", "successCondition": "result == true", "provider": {"web": {**WEB["web"], "jsonPath": "{$.data.ok}"}}}
                ],
            },
        ),
        SECRET,
    ],
}


def text_of(manifests: Iterable[Manifest]) -> str:
    """As one file, without what is None."""
    return yaml.safe_dump_all([_filled(manifest) for manifest in manifests], sort_keys=False, default_flow_style=None)


def _filled(value: object) -> object:
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items() if inner is not None}
    return [_filled(inner) for inner in value] if isinstance(value, list) else value


BUILT: Mapping[str, str] = {name: text_of(parts) for group in (STRATEGIES, ROUTERS, PROVIDERS) for name, parts in group.items()}
