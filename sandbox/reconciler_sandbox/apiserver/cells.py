"""What kubectl's tables say about objects of built-in kinds: one small function per composed cell."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from reconciler_sandbox.apiserver.jsonpath import find
from reconciler_sandbox.apiserver.selectors import as_text
from reconciler_sandbox.apiserver.times import age, duration, parse

Manifest = dict[str, Any]
Cell = Callable[[Manifest, datetime], Any]
NONE = "<none>"
UNKNOWN = "<unknown>"


def at(path: str, default: Any = NONE) -> Cell:
    """The value at a path."""

    def cell(manifest: Manifest, now: datetime) -> Any:
        found = find(manifest, path)
        return default if not found or found[0] in (None, "") else found[0]

    return cell


def count(path: str) -> Cell:
    """How many things are at a path."""

    def cell(manifest: Manifest, now: datetime) -> int:
        found = find(manifest, path)
        return len(found[0]) if found and found[0] else 0

    return cell


def joined(path: str, default: str = NONE) -> Cell:
    """Everything at a path, with commas."""

    def cell(manifest: Manifest, now: datetime) -> str:
        return ",".join(str(one) for one in find(manifest, path)) or default

    return cell


def since(path: str) -> Cell:
    """How long ago the time at a path was."""

    def cell(manifest: Manifest, now: datetime) -> str:
        return age(str(next(iter(find(manifest, path)), "") or ""), now)

    return cell


def selector(path: str) -> Cell:
    """A selector as text."""

    def cell(manifest: Manifest, now: datetime) -> str:
        found = next(iter(find(manifest, path)), None) or {}
        labelled = found if "matchLabels" in found or "matchExpressions" in found else {"matchLabels": found}
        return as_text(labelled) or NONE

    return cell


AGE = since(".metadata.creationTimestamp")
NAME = at(".metadata.name")


def _status(manifest: Manifest, path: str) -> Any:
    return next(iter(find(manifest, f".status{path}")), None) or 0


def ready_of(manifest: Manifest, now: datetime) -> str:
    """Ready replicas of wanted ones."""
    return f"{_status(manifest, '.readyReplicas')}/{(manifest.get('spec') or {}).get('replicas', 0)}"


def pod_ready(manifest: Manifest, now: datetime) -> str:
    """Ready containers of all."""
    ready = sum(bool(one) for one in find(manifest, ".status.containerStatuses[*].ready"))
    return f"{ready}/{len(manifest['spec'].get('containers') or ())}"


def pod_status(manifest: Manifest, now: datetime) -> str:
    """The one word for a pod: why it waits or ended, else its phase."""
    status = manifest.get("status") or {}
    if "deletionTimestamp" in manifest["metadata"]:
        return "Terminating"
    reason = str(status.get("reason") or status.get("phase") or "Unknown")
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason"):
            reason = str(waiting["reason"])
        elif terminated:
            reason = str(terminated.get("reason") or f"ExitCode:{terminated.get('exitCode', 0)}")
    return reason


def pod_restarts(manifest: Manifest, now: datetime) -> str:
    """How often containers were restarted, and when last."""
    total = sum(find(manifest, ".status.containerStatuses[*].restartCount"))
    last = max((str(one) for one in find(manifest, ".status.containerStatuses[*].lastState.terminated.finishedAt")), default="")
    return f"{total} ({age(last, now)} ago)" if total and last else str(total)


def pod_gates(manifest: Manifest, now: datetime) -> str:
    """Readiness gates that are true, of all."""
    gates = find(manifest, ".spec.readinessGates[*].conditionType")
    true = {one.get("type") for one in find(manifest, ".status.conditions[*]") if one.get("status") == "True"}
    return f"{sum(gate in true for gate in gates)}/{len(gates)}" if gates else NONE


def external_address(manifest: Manifest, now: datetime) -> str:
    """Where a Service is reached from outside."""
    spec = manifest["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", NONE))
    granted = find(manifest, ".status.loadBalancer.ingress[*].ip") + find(manifest, ".status.loadBalancer.ingress[*].hostname")
    addresses = [*granted, *(spec.get("externalIPs") or ())]
    if not addresses and spec.get("type") == "LoadBalancer":
        return "<pending>"
    return ",".join(addresses) or NONE


def service_ports(manifest: Manifest, now: datetime) -> str:
    """The ports of a Service."""

    def text(port: Manifest) -> str:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}"

    return ",".join(text(port) for port in manifest["spec"].get("ports") or ()) or NONE


def _shortened(texts: Iterable[str], limit: int) -> str:
    listed = list(texts)
    more = f" + {len(listed) - limit} more..." if len(listed) > limit else ""
    return ",".join(listed[:limit]) + more or NONE


def endpoint_addresses(manifest: Manifest, now: datetime) -> str:
    """The addresses with their ports, three of them."""
    texts = []
    for subset in manifest.get("subsets") or ():
        ports = subset.get("ports") or [{}]
        addresses = [one.get("ip", "") for one in subset.get("addresses") or ()]
        texts += [f"{address}:{port['port']}" if "port" in port else address for port in ports for address in addresses]
    return _shortened(texts, 3)


def slice_ports(manifest: Manifest, now: datetime) -> str:
    """The ports of an EndpointSlice."""
    return _shortened((str(port) for port in find(manifest, ".ports[*].port")), 3)


def slice_addresses(manifest: Manifest, now: datetime) -> str:
    """The addresses of an EndpointSlice."""
    return _shortened(find(manifest, ".endpoints[*].addresses[*]"), 3)


def job_status(manifest: Manifest, now: datetime) -> str:
    """The one word for a Job."""
    true = {one.get("type") for one in find(manifest, ".status.conditions[*]") if one.get("status") == "True"}
    words = (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended"), ("FailureTarget", "FailureTarget"))
    if "deletionTimestamp" in manifest["metadata"]:
        return "Terminating"
    return next((word for kind, word in words if kind in true), "Running")


def job_completions(manifest: Manifest, now: datetime) -> str:
    """Succeeded pods of wanted ones."""
    wanted = (manifest.get("spec") or {}).get("completions")
    return f"{_status(manifest, '.succeeded')}/{wanted if wanted is not None else '1 of ' + str(manifest['spec'].get('parallelism', 1))}"


def job_duration(manifest: Manifest, now: datetime) -> str:
    """How long a Job took, or is taking."""
    times = [parse(str(next(iter(find(manifest, path)), ""))) for path in (".status.startTime", ".status.completionTime")]
    if times[0] is None:
        return ""
    return duration(((times[1] or now) - times[0]).total_seconds())


def node_status(manifest: Manifest, now: datetime) -> str:
    """Whether a node is ready, and whether it takes pods."""
    ready = next((one.get("status") for one in find(manifest, ".status.conditions[*]") if one.get("type") == "Ready"), None)
    word = {"True": "Ready", None: "Unknown"}.get(ready, "NotReady")
    return f"{word},SchedulingDisabled" if manifest["spec"].get("unschedulable") else word


def node_roles(manifest: Manifest, now: datetime) -> str:
    """The roles of a node, from its labels."""
    prefix = "node-role.kubernetes.io/"
    return ",".join(sorted(key.removeprefix(prefix) for key in manifest["metadata"].get("labels") or () if key.startswith(prefix))) or NONE


def involved(manifest: Manifest, now: datetime) -> str:
    """What an Event is about."""
    about = manifest.get("involvedObject") or {}
    kind, name = str(about.get("kind") or "").lower(), about.get("name")
    return f"{kind}/{name}" if name else kind


def event_last_seen(manifest: Manifest, now: datetime) -> str:
    """When an Event was last seen: a series says it, newer ones carry only eventTime."""
    series = manifest.get("series") or {}
    return age(str(series.get("lastObservedTime") or manifest.get("lastTimestamp") or _first(manifest)), now)


def event_first_seen(manifest: Manifest, now: datetime) -> str:
    """When an Event was first seen."""
    return age(_first(manifest), now)


def _first(manifest: Manifest) -> str:
    return str(manifest.get("firstTimestamp") or manifest.get("eventTime") or "")


def event_count(manifest: Manifest, now: datetime) -> int:
    """How often an Event was seen; newer ones that were seen once do not say so."""
    return int((manifest.get("series") or {}).get("count") or manifest.get("count") or 1)


def event_source(manifest: Manifest, now: datetime) -> str:
    """Who told of an Event, and where."""
    source = manifest.get("source") or {}
    told = (source.get("component") or manifest.get("reportingComponent"), source.get("host") or manifest.get("reportingInstance"))
    return ", ".join(part for part in told if part)


def scale_target(manifest: Manifest, now: datetime) -> str:
    """What an autoscaler scales."""
    reference = manifest["spec"].get("scaleTargetRef") or {}
    return f"{reference.get('kind', '')}/{reference.get('name', '')}"


SHOWN_METRICS = 2


def least_pods(manifest: Manifest, now: datetime) -> str:
    """The fewest pods an autoscaler leaves."""
    least = manifest["spec"].get("minReplicas")
    return "<unset>" if least is None else str(least)


def metric_targets(manifest: Manifest, now: datetime) -> str:
    """Present and wanted values of an autoscaler's metrics, two of them."""
    present = [one for one in (manifest.get("status") or {}).get("currentMetrics") or () if one.get("type")]
    texts = [_metric_target(metric, present) for metric in manifest["spec"].get("metrics") or ()]
    more = f" + {len(texts) - SHOWN_METRICS} more..." if len(texts) > SHOWN_METRICS else ""
    return ", ".join(texts[:SHOWN_METRICS]) + more or NONE


def _metric_target(metric: Manifest, present: list[Manifest]) -> str:
    field = metric["type"][:1].lower() + metric["type"][1:]
    source = metric[field]
    same = (one[field] for one in present if one["type"] == metric["type"])
    current: Manifest = next((one["current"] for one in same if _subject(one) == _subject(source)), {})
    amount = next(name for name in ("averageUtilization", "averageValue", "value") if source["target"].get(name) is not None)
    percent = "%" if amount == "averageUtilization" else ""
    known = current.get(amount)
    text = f"{UNKNOWN if known is None else f'{known}{percent}'}/{source['target'][amount]}{percent}"
    average = " (avg)" if amount == "averageValue" and field in ("object", "external") else ""
    return f"{source['name']}: {text}" if "name" in source else text + average


def _subject(source: Manifest) -> Any:
    return source.get("name"), source.get("container"), (source.get("metric") or {}).get("name")


def budget_amount(field: str) -> Cell:
    """A bound of a disruption budget."""

    def cell(manifest: Manifest, now: datetime) -> str:
        found = (manifest.get("spec") or {}).get(field)
        return "N/A" if found is None else str(found)

    return cell


def ingress_ports(manifest: Manifest, now: datetime) -> str:
    """The ports of an Ingress."""
    return "80, 443" if manifest["spec"].get("tls") else "80"
