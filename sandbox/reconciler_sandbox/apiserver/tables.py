"""The Table form of objects that `kubectl get` prints: columns per kind, rows with metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler_sandbox.apiserver import cells
from reconciler_sandbox.apiserver.cells import AGE, NAME, NONE, Cell, at, count, joined, selector, since
from reconciler_sandbox.apiserver.jsonpath import find
from reconciler_sandbox.apiserver.kinds import Column, Kind
from reconciler_sandbox.apiserver.times import age

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Printed:
    """One column of a built-in kind; priority 1 is shown with -o wide."""

    name: str
    cell: Cell
    type: str = "string"
    priority: int = 0


def _wide(name: str, cell: Cell) -> Printed:
    return Printed(name, cell, priority=1)


NAMED = Printed("Name", NAME)
AGED = Printed("Age", AGE)
TEMPLATE = (
    _wide("Containers", joined(".spec.template.spec.containers[*].name")),
    _wide("Images", joined(".spec.template.spec.containers[*].image")),
    _wide("Selector", selector(".spec.selector")),
)


def _number(name: str, path: str) -> Printed:
    return Printed(name, at(path, 0), "integer")


EVENTS = (
    Printed("Last Seen", cells.event_last_seen),
    Printed("Type", at(".type", "")),
    Printed("Reason", at(".reason", "")),
    Printed("Object", cells.involved),
    _wide("Subobject", at(".involvedObject.fieldPath", "")),
    _wide("Source", cells.event_source),
    Printed("Message", at(".message", "")),
    _wide("First Seen", cells.event_first_seen),
    Printed("Count", cells.event_count, "integer", priority=1),
    _wide("Name", NAME),
)
COLUMNS: Mapping[str, tuple[Printed, ...]] = {
    "pods": (
        NAMED,
        Printed("Ready", cells.pod_ready),
        Printed("Status", cells.pod_status),
        Printed("Restarts", cells.pod_restarts),
        AGED,
        _wide("IP", at(".status.podIP")),
        _wide("Node", at(".spec.nodeName")),
        _wide("Nominated Node", at(".status.nominatedNodeName")),
        _wide("Readiness Gates", cells.pod_gates),
    ),
    "deployments.apps": (
        NAMED,
        Printed("Ready", cells.ready_of),
        _number("Up-to-date", ".status.updatedReplicas"),
        _number("Available", ".status.availableReplicas"),
        AGED,
        *TEMPLATE,
    ),
    "replicasets.apps": (
        NAMED,
        _number("Desired", ".spec.replicas"),
        _number("Current", ".status.replicas"),
        _number("Ready", ".status.readyReplicas"),
        AGED,
        *TEMPLATE,
    ),
    "statefulsets.apps": (NAMED, Printed("Ready", cells.ready_of), AGED, *TEMPLATE[:2]),
    "daemonsets.apps": (
        NAMED,
        _number("Desired", ".status.desiredNumberScheduled"),
        _number("Current", ".status.currentNumberScheduled"),
        _number("Ready", ".status.numberReady"),
        _number("Up-to-date", ".status.updatedNumberScheduled"),
        _number("Available", ".status.numberAvailable"),
        Printed("Node Selector", selector(".spec.template.spec.nodeSelector")),
        AGED,
        *TEMPLATE,
    ),
    "services": (
        NAMED,
        Printed("Type", at(".spec.type")),
        Printed("Cluster-IP", at(".spec.clusterIP")),
        Printed("External-IP", cells.external_address),
        Printed("Port(s)", cells.service_ports),
        AGED,
        _wide("Selector", selector(".spec.selector")),
    ),
    "configmaps": (NAMED, Printed("Data", count(".data"), "integer"), AGED),
    "secrets": (NAMED, Printed("Type", at(".type")), Printed("Data", count(".data"), "integer"), AGED),
    "serviceaccounts": (NAMED, Printed("Secrets", count(".secrets"), "integer"), AGED),
    "namespaces": (NAMED, Printed("Status", at(".status.phase")), AGED),
    "nodes": (
        NAMED,
        Printed("Status", cells.node_status),
        Printed("Roles", cells.node_roles),
        AGED,
        Printed("Version", at(".status.nodeInfo.kubeletVersion", "")),
        _wide("Internal-IP", at('.status.addresses[?(@.type=="InternalIP")].address')),
        _wide("External-IP", at('.status.addresses[?(@.type=="ExternalIP")].address')),
        _wide("OS-Image", at(".status.nodeInfo.osImage", cells.UNKNOWN)),
        _wide("Kernel-Version", at(".status.nodeInfo.kernelVersion", cells.UNKNOWN)),
        _wide("Container-Runtime", at(".status.nodeInfo.containerRuntimeVersion", cells.UNKNOWN)),
    ),
    "events": EVENTS,
    "endpoints": (NAMED, Printed("Endpoints", cells.endpoint_addresses), AGED),
    "endpointslices.discovery.k8s.io": (
        NAMED,
        Printed("AddressType", at(".addressType")),
        Printed("Ports", cells.slice_ports),
        Printed("Endpoints", cells.slice_addresses),
        AGED,
    ),
    "jobs.batch": (
        NAMED,
        Printed("Status", cells.job_status),
        Printed("Completions", cells.job_completions),
        Printed("Duration", cells.job_duration),
        AGED,
        *TEMPLATE,
    ),
    "cronjobs.batch": (
        NAMED,
        Printed("Schedule", at(".spec.schedule")),
        Printed("Suspend", at(".spec.suspend", False)),
        Printed("Active", count(".status.active"), "integer"),
        Printed("Last Schedule", since(".status.lastScheduleTime")),
        AGED,
    ),
    "horizontalpodautoscalers.autoscaling": (
        NAMED,
        Printed("Reference", cells.scale_target),
        Printed("Targets", cells.metric_targets),
        Printed("MinPods", cells.least_pods),
        _number("MaxPods", ".spec.maxReplicas"),
        _number("Replicas", ".status.currentReplicas"),
        AGED,
    ),
    "poddisruptionbudgets.policy": (
        NAMED,
        Printed("Min Available", cells.budget_amount("minAvailable")),
        Printed("Max Unavailable", cells.budget_amount("maxUnavailable")),
        _number("Allowed Disruptions", ".status.disruptionsAllowed"),
        AGED,
    ),
    "leases.coordination.k8s.io": (NAMED, Printed("Holder", at(".spec.holderIdentity", "")), AGED),
    "ingresses.networking.k8s.io": (
        NAMED,
        Printed("Class", at(".spec.ingressClassName")),
        Printed("Hosts", joined(".spec.rules[*].host", "*")),
        Printed("Address", joined(".status.loadBalancer.ingress[*].ip", "")),
        Printed("Ports", cells.ingress_ports),
        AGED,
    ),
    "roles.rbac.authorization.k8s.io": (NAMED, Printed("Created At", at(".metadata.creationTimestamp"), "date")),
    "clusterroles.rbac.authorization.k8s.io": (NAMED, Printed("Created At", at(".metadata.creationTimestamp"), "date")),
}
OTHERS = (NAMED, Printed("Created At", at(".metadata.creationTimestamp", NONE), "date"))


def table(kind: Kind, manifests: Sequence[Manifest], now: datetime, *, include: str = "", head: bool = True) -> Manifest:
    """A Table of objects; `include` is None, Metadata or Object: what of each object goes with its row."""
    rows = [{"cells": _cells(kind, one, now), **_row_object(one, include)} for one in manifests]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": definitions(kind) if head else None,
        "rows": rows,
    }


def definitions(kind: Kind) -> list[Manifest]:
    """The columns of a kind."""
    if kind.custom:
        return [_definition("Name", "string", format="name"), *(_custom_definition(column) for column in kind.columns)]
    return [_definition(one.name, one.type, priority=one.priority, format="name" if one.name == "Name" else "") for one in _columns(kind)]


def _definition(name: str, kind: str, *, format: str = "", priority: int = 0, description: str = "") -> Manifest:
    return {"name": name, "type": kind, "format": format, "description": description, "priority": priority}


def _custom_definition(column: Column) -> Manifest:
    return _definition(column.name, column.type, format=column.format, priority=column.priority, description=column.description)


def _columns(kind: Kind) -> tuple[Printed, ...]:
    return COLUMNS.get(kind.qualified, OTHERS)


def _cells(kind: Kind, manifest: Manifest, now: datetime) -> list[Any]:
    if kind.custom:
        return [manifest["metadata"]["name"], *(_custom_cell(manifest, column, now) for column in kind.columns)]
    return [_cell(one, manifest, now) for one in _columns(kind)]


def _cell(column: Printed, manifest: Manifest, now: datetime) -> Any:
    try:
        return column.cell(manifest, now)
    except (TypeError, AttributeError, KeyError, ValueError):
        return NONE  # a table shows what it can of an object that somebody filled strangely


def _custom_cell(manifest: Manifest, column: Column, now: datetime) -> Any:
    """The value of a printer column, of the column's type; a date is said as an age."""
    found = find(manifest, column.path)
    if not found:
        return None
    value = found[0]
    if column.type in ("integer", "number"):
        return value if isinstance(value, int | float) else None
    if column.type == "boolean":
        return value if isinstance(value, bool) else None
    if column.type == "date":
        return age(value, now) if isinstance(value, str) else cells.UNKNOWN
    return value if isinstance(value, str) else ",".join(str(one) for one in found)


def _row_object(manifest: Manifest, include: str) -> Manifest:
    if include == "None":
        return {}
    return {"object": manifest if include == "Object" else partial(manifest)}


def partial(manifest: Manifest) -> Manifest:
    """An object as PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": manifest["metadata"]}
