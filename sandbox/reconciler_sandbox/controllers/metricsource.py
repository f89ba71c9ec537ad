"""Reads what an autoscaler's metrics say from the aggregated metrics APIs of its cluster, as they are served to everybody."""

import re
from collections.abc import Mapping

from reconciler_sandbox.apiserver.quantities import thousandths
from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.metricreading import Reading
from reconciler_sandbox.controllers.objects import Manifest, name_of, parse_time, selector_text
from reconciler_sandbox.controllers.recommendation import Sample
from reconciler_sandbox.controllers.scales import UNFOUND, NoScale, Scales

RESOURCE = "/apis/metrics.k8s.io/v1beta1"
CUSTOM = "/apis/custom.metrics.k8s.io/v1beta1"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"
DEFAULT_WINDOW = 60.0
UNITS: Mapping[str, float] = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)")
NO_CUSTOM = "no custom metrics API (custom.metrics.k8s.io) registered"


class MetricSource:
    """One cluster's metrics."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._scales = Scales(client)

    async def read(self, metric: Manifest, namespace: str, pods: str) -> Reading:
        """What one metric of a specification says about the pods that a selector names."""
        match metric["type"]:
            case "Resource":
                return await self._resource(metric["resource"]["name"], namespace, pods)
            case "ContainerResource":
                part = metric["containerResource"]
                return await self._resource(part["name"], namespace, pods, part["container"])
            case "Pods":
                return await self._pods(metric["pods"]["metric"], namespace, pods)
            case "Object":
                return await self._object(metric["object"], namespace)
            case _:
                return await self._external(metric["external"]["metric"], namespace)

    async def _resource(self, resource: str, namespace: str, pods: str, container: str = "") -> Reading:
        try:
            items = await self._client.list(f"{RESOURCE}/namespaces/{namespace}/pods", labelSelector=pods)
        except ApiError as error:
            words = f"{UNFOUND} (get pods.metrics.k8s.io)" if error.status == 404 else error.message
            return Reading(failure=f"unable to fetch metrics from resource metrics API: {words}")
        if not items:
            return Reading(failure="no metrics returned from resource metrics API")
        found = {name_of(item): _sample(item, resource, container) for item in items}
        return Reading(samples={name: sample for name, sample in found.items() if sample is not None})

    async def _pods(self, metric: Manifest, namespace: str, pods: str) -> Reading:
        try:
            items = await self._custom(f"{CUSTOM}/namespaces/{namespace}/pods/*", metric, labelSelector=pods)
        except ApiError as error:
            return _unread(error, "custom")
        if not items:
            return Reading(failure="no metrics returned from custom metrics API")
        return Reading(samples={item["describedObject"]["name"]: _measured(item) for item in items})

    async def _object(self, part: Manifest, namespace: str) -> Reading:
        described = part["describedObject"]
        try:
            kind = await self._scales.find(described.get("apiVersion", ""), described["kind"])
            path = f"{CUSTOM}/namespaces/{namespace}/{kind.qualified}/{described['name']}"
            if kind.qualified == "namespaces":
                path = f"{CUSTOM}/namespaces/{namespace}/metrics"
            items = await self._custom(path, part["metric"])
        except NoScale as error:
            return Reading(failure=f"unable to fetch metrics from custom metrics API: {error}")
        except ApiError as error:
            return _unread(error, "custom")
        if len(items) != 1:
            return Reading(failure="unable to fetch metrics from custom metrics API: the custom metrics API server returned no one value")
        return Reading(values=(thousandths(items[0]["value"]),))

    async def _custom(self, path: str, metric: Manifest, **query: str) -> list[Manifest]:
        chosen = {"metricLabelSelector": selector_text(metric["selector"])} if metric.get("selector") else {}
        return await self._client.list(f"{path}/{metric['name']}", **query, **chosen)

    async def _external(self, metric: Manifest, namespace: str) -> Reading:
        chosen = {"labelSelector": selector_text(metric["selector"])} if metric.get("selector") else {}
        try:
            items = await self._client.list(f"{EXTERNAL}/namespaces/{namespace}/{metric['name']}", **chosen)
        except ApiError as error:
            return _unread(error, "external", f"{UNFOUND} (get {metric['name']}.external.metrics.k8s.io)")
        if not items:
            return Reading(failure="no metrics returned from external metrics API")
        return Reading(values=tuple(thousandths(item["value"]) for item in items))


def _unread(error: ApiError, api: str, absent: str = NO_CUSTOM) -> Reading:
    words = absent if error.status == 404 and error.reason == "" else error.message
    return Reading(failure=f"unable to fetch metrics from {api} metrics API: {words}")


def _sample(item: Manifest, resource: str, container: str) -> Sample | None:
    """What a pod used of a resource; nothing if it does not say it of each container."""
    usages = [one["usage"].get(resource) for one in item.get("containers") or () if not container or one["name"] == container]
    if not usages or None in usages:
        return None
    return Sample(sum(thousandths(usage) for usage in usages), parse_time(item["timestamp"]), seconds(item["window"]))


def _measured(item: Manifest) -> Sample:
    window = item.get("windowSeconds")
    return Sample(thousandths(item["value"]), parse_time(item["timestamp"]), DEFAULT_WINDOW if window is None else float(window))


def seconds(duration: str) -> float:
    """A Go duration in seconds; what cannot be read counts as none."""
    return sum(float(number) * UNITS[unit] for number, unit in DURATION.findall(duration))
