"""The metrics APIs of a cluster (metrics.k8s.io, custom.metrics.k8s.io, external.metrics.k8s.io), answered from what somebody says.

`call` answers a request as the server behind an APIService does: for the sandbox's API server, or for a real one over TLS.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from reconciler_sandbox.apiserver.failures import Failure, method_not_allowed, page_not_found
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.quantities import from_thousandths, thousandths
from reconciler_sandbox.apiserver.selectors import predicate
from reconciler_sandbox.apiserver.times import rfc3339
from reconciler_sandbox.client import Answer, ApiClient, ApiError, Call
from reconciler_sandbox.metrics.readings import Readings, Said, Subject, is_ready, is_running, text_of, usage_of, value_of

Manifest = dict[str, Any]
RESOURCE, CUSTOM, EXTERNAL = GROUPS = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")
VERSION = "v1beta1"
READ = ("get", "list")
PODS = Kind(RESOURCE, VERSION, "pods", "PodMetrics", verbs=READ)
NODES = Kind(RESOURCE, VERSION, "nodes", "NodeMetrics", False, verbs=READ)
WINDOW_SECONDS = 1
JSON = {"content-type": "application/json"}


class AggregatedMetrics:
    """Answers for one cluster, whose pods and scales are read through `api`."""

    def __init__(self, api: ApiClient, readings: Readings, now: Callable[[], datetime]) -> None:
        self._api = api
        self._readings = readings
        self._now = now

    def kinds(self) -> Mapping[str, Sequence[Kind]]:
        """What each group consists of now; one of which nothing is said is not there."""
        said = self._readings
        custom = [Kind(CUSTOM, VERSION, f"{plural}/{name}", "MetricValueList", verbs=("get",)) for plural, name in said.custom_names()]
        external = [Kind(EXTERNAL, VERSION, name, "ExternalMetricValueList", verbs=("get",)) for name in sorted(said.external)]
        return {RESOURCE: (PODS, NODES) if said.of else (), CUSTOM: custom, EXTERNAL: external}

    async def call(self, call: Call) -> Answer:
        """Answer one request."""
        try:
            if call.method != "GET":
                raise method_not_allowed()
            return Answer(200, JSON, orjson.dumps(await self._found(call)))
        except Failure as failure:
            return Answer(failure.code, {**JSON, **failure.headers}, failure.body())
        except ApiError as error:
            unread = Failure(503, "ServiceUnavailable", f"the cluster could not be read: {error.message}")
            return Answer(unread.code, JSON, unread.body())

    async def _found(self, call: Call) -> Manifest:
        root, group, version, *rest = [*call.path.strip("/").split("/"), "", ""]
        rest = [part for part in rest if part]
        if root != "apis" or not self.kinds().get(group) or version not in ("", VERSION):
            raise page_not_found()
        if not version:
            return _group(group)
        if not rest:
            return self._resources(group)
        return await ANSWERS[group](self, rest, call)

    def _resources(self, group: str) -> Manifest:
        listed = [
            {"name": kind.plural, "singularName": "", "namespaced": kind.namespaced, "kind": kind.kind, "verbs": list(kind.verbs)}
            for kind in self.kinds()[group]
        ]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{VERSION}", "resources": listed}

    # -- pods and nodes ---------------------------------------------------------------------------------------------------

    async def _resource(self, parts: Sequence[str], call: Call) -> Manifest:
        namespace, (plural, *names) = (parts[1], parts[2:]) if parts[0] == "namespaces" and len(parts) > 2 else ("", parts)
        if plural not in ("pods", "nodes") or len(names) > 1:
            raise page_not_found()
        items = await self._pods(namespace, call.query.get("labelSelector", ""))
        kind = PODS if plural == "pods" else NODES
        made = [_pod_metrics(pod, usage, self._moment()) for pod, usage in items]
        if kind is NODES:
            made = _node_metrics([(pod, one) for (pod, _), one in zip(items, made, strict=True)], self._moment())
        if not names:
            return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": {}, "items": made}
        one = next((item for item in made if item["metadata"]["name"] == names[0]), None)
        if one is None:
            name = f"{namespace}/{names[0]}" if namespace else names[0]
            raise Failure(404, "NotFound", f'{kind.kind.lower()}s.{RESOURCE} "{name}" not found')
        return {"kind": kind.kind, "apiVersion": kind.api_version, **one}

    async def _pods(self, namespace: str, selector: str) -> list[tuple[Manifest, list[Manifest]]]:
        """Running pods with what their containers use, as far as somebody said so."""
        matches = predicate(PODS, selector, "")
        found: dict[str, tuple[Manifest, list[Manifest]]] = {}
        for subject, said in self._readings.of.items():
            pods = [] if namespace and subject.namespace != namespace else await self._pods_of(subject)
            ready = sum(map(is_ready, pods))
            for pod in pods:
                usage = usage_of(pod, said, ready)
                if usage is not None and (matches is None or matches(pod)):
                    found[pod["metadata"]["uid"]] = (pod, usage)
        return sorted(found.values(), key=lambda pair: (pair[0]["metadata"]["namespace"], pair[0]["metadata"]["name"]))

    async def _pods_of(self, subject: Subject) -> list[Manifest]:
        """The running pods that the scale of a workload selects."""
        scale = await self._api.get(f"{subject.path}/scale")
        selector = ((scale or {}).get("status") or {}).get("selector")
        if not selector:
            return []
        listed = await self._api.list(f"/api/v1/namespaces/{subject.namespace}/pods", labelSelector=selector)
        return [pod for pod in listed if is_running(pod)]

    def _moment(self) -> str:
        return rfc3339(self._now())

    # -- custom and external metrics ---------------------------------------------------------------------------------------

    async def _custom(self, parts: Sequence[str], call: Call) -> Manifest:
        if parts[0] != "namespaces" or len(parts) != 5:
            raise page_not_found()
        _, namespace, plural, name, metric = parts
        chosen = {subject: said for subject, said in self._readings.of.items() if subject.namespace == namespace and metric in said}
        items = [item async for item in self._values(chosen, plural, name, metric, call.query.get("labelSelector", ""))]
        if not items and name != "*":
            raise Failure(404, "NotFound", f"the server could not find the metric {metric} for {plural} {name}")
        return {"kind": "MetricValueList", "apiVersion": f"{CUSTOM}/{VERSION}", "metadata": {}, "items": items}

    async def _values(self, chosen: Mapping[Subject, Said], plural: str, name: str, metric: str, selector: str) -> Any:
        for subject, said in chosen.items():
            if subject.qualified == plural and name in ("*", subject.name):
                described = {"kind": subject.kind, "namespace": subject.namespace, "name": subject.name, "apiVersion": subject.api_version}
                yield _value(described, metric, said[metric].value, self._moment())
            if plural == "pods":
                async for item in self._of_pods(subject, said, name, metric, selector):
                    yield item

    async def _of_pods(self, subject: Subject, said: Said, name: str, metric: str, selector: str) -> Any:
        matches, pods = predicate(PODS, selector, ""), await self._pods_of(subject)
        ready = sum(map(is_ready, pods))
        for pod in pods:
            if name in ("*", pod["metadata"]["name"]) and (matches is None or matches(pod)):
                described = {"kind": "Pod", "namespace": subject.namespace, "name": pod["metadata"]["name"], "apiVersion": "/v1"}
                yield _value(described, metric, value_of(pod, said[metric], ready), self._moment())

    async def _external(self, parts: Sequence[str], call: Call) -> Manifest:
        if parts[0] != "namespaces" or len(parts) != 3:
            raise page_not_found()
        value = self._readings.external.get(parts[2])
        item = {"metricName": parts[2], "metricLabels": {}, "timestamp": self._moment(), "value": from_thousandths(value or 0)}
        items = [] if value is None else [item]
        return {"kind": "ExternalMetricValueList", "apiVersion": f"{EXTERNAL}/{VERSION}", "metadata": {}, "items": items}


Respond = Callable[[AggregatedMetrics, Sequence[str], Call], Awaitable[Manifest]]
ANSWERS: Mapping[str, Respond] = {
    RESOURCE: AggregatedMetrics._resource,
    CUSTOM: AggregatedMetrics._custom,
    EXTERNAL: AggregatedMetrics._external,
}


def _group(name: str) -> Manifest:
    version = {"groupVersion": f"{name}/{VERSION}", "version": VERSION}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [version], "preferredVersion": version}


def _pod_metrics(pod: Manifest, usage: list[Manifest], moment: str) -> Manifest:
    fields = pod["metadata"]
    labels = {"labels": fields["labels"]} if fields.get("labels") else {}
    metadata = {"name": fields["name"], "namespace": fields["namespace"], "creationTimestamp": moment, **labels}
    return {"metadata": metadata, "timestamp": moment, "window": f"{WINDOW_SECONDS}s", "containers": usage}


def _node_metrics(pods: Iterable[tuple[Manifest, Manifest]], moment: str) -> list[Manifest]:
    """What nodes use: the sum of what is known of their pods."""
    sums: dict[str, dict[str, int]] = {}
    for pod, metrics in pods:
        node = sums.setdefault(pod["spec"].get("nodeName", ""), {"cpu": 0, "memory": 0})
        for container in metrics["containers"]:
            for name, text in container["usage"].items():
                node[name] += thousandths(text)
    return [
        {
            "metadata": {"name": name, "creationTimestamp": moment},
            "timestamp": moment,
            "window": f"{WINDOW_SECONDS}s",
            "usage": {resource: text_of(resource, value) for resource, value in used.items()},
        }
        for name, used in sorted(sums.items())
    ]


def _value(described: Manifest, metric: str, value: int, moment: str) -> Manifest:
    return {
        "describedObject": described,
        "metricName": metric,
        "timestamp": moment,
        "windowSeconds": WINDOW_SECONDS,
        "value": from_thousandths(value),
        "selector": None,
    }
