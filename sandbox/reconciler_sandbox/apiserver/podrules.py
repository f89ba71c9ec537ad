"""What the specification of pods insists on: containers, ports, variables, resources, volumes, probes (see `rules`)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from reconciler_sandbox.apiserver import qualified, rules
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.quantities import thousandths

Manifest = dict[str, Any]
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
VARIABLE_RULE = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit "
    "(e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
)
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
FIELD_PATHS = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations", "spec.nodeName"}
    | {"spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}
)
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
PROBE_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
# Kind of volume → the field that it cannot be without.
VOLUME_NEEDS: Mapping[str, str] = {
    "configMap": "name",
    "secret": "secretName",
    "persistentVolumeClaim": "claimName",
    "hostPath": "path",
}
STANDARD_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage", "storage"})
RESTARTS = ("Always", "OnFailure", "Never")
DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
MAX_ID = 2_147_483_647


def pod_spec(spec: Any, path: str, old: Any = None) -> list[Cause]:
    """What is wrong with the specification of a pod; one that has not changed is not looked at again."""
    if old is not None and spec == old:
        return []
    spec = spec or {}
    volumes = {str(one.get("name")) for one in spec.get("volumes") or ()}
    causes = [*_volumes(spec.get("volumes") or (), f"{path}.volumes")]
    if not spec.get("containers"):
        causes.append(rules.missing(f"{path}.containers"))
    seen: set[str] = set()
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            where = f"{path}.{field}[{index}]"
            causes += _container(container, where, volumes)
            name = str(container.get("name") or "")
            if name and name in seen:
                causes.append(rules.duplicate(f"{where}.name", name))
            seen.add(name)
    return causes + list(_rest(spec, path))


def _rest(spec: Manifest, path: str) -> Iterator[Cause]:
    yield from rules.choice(spec, path, "restartPolicy", RESTARTS)
    yield from rules.choice(spec, path, "dnsPolicy", DNS)
    yield from rules.subdomain(spec.get("serviceAccountName"), f"{path}.serviceAccountName")
    yield from rules.subdomain(spec.get("nodeName"), f"{path}.nodeName")
    yield from rules.labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration(toleration, f"{path}.tolerations[{index}]")
    for alias in spec.get("hostAliases") or ():
        if not rules.is_address(alias.get("ip")):
            yield rules.invalid(f"{path}.hostAliases.ip", alias.get("ip"), "must be valid IP address")


def _toleration(one: Manifest, path: str) -> Iterator[Cause]:
    operator = one.get("operator", "Equal")
    if not one.get("key") and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield rules.invalid(f"{path}.operator", operator, why)
    if operator == "Exists" and one.get("value"):
        yield rules.invalid(f"{path}.operator", one, "value must be empty when `operator` is 'Exists'")
    yield from rules.choice(one, path, "operator", ("Equal", "Exists"))
    yield from rules.choice(one, path, "effect", ("NoSchedule", "PreferNoSchedule", "NoExecute"))


def _container(container: Manifest, path: str, volumes: set[str]) -> list[Cause]:
    causes = rules.required(container, path, "name", "image")
    name = container.get("name")
    causes += rules.label_name(str(name), f"{path}.name") if name else []
    if container.get("image") and container["image"] != container["image"].strip():
        causes.append(rules.invalid(f"{path}.image", container["image"], "must not have leading or trailing whitespace"))
    causes += rules.choice(container, path, "imagePullPolicy", ("Always", "IfNotPresent", "Never"))
    if container.get("terminationMessagePolicy") not in (None, "File", "FallbackToLogsOnError"):
        why = "must be 'File' or 'FallbackToLogsOnError'"
        causes.append(rules.invalid(f"{path}.terminationMessagePolicy", container["terminationMessagePolicy"], why))
    for part, check in PARTS.items():
        if container.get(part):
            causes += check(container[part], f"{path}.{part}")
    return causes + list(_mounts(container.get("volumeMounts") or (), f"{path}.volumeMounts", volumes))


def _ports(ports: list[Manifest], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in enumerate(ports):
        where, name = f"{path}[{index}]", one.get("name")
        if name:
            yield from rules.port_name(name, f"{where}.name")
            if name in seen:
                yield rules.duplicate(f"{where}.name", name)
            seen.add(name)
        if not one.get("containerPort"):
            yield rules.missing(f"{where}.containerPort")
        else:
            yield from rules.port(one["containerPort"], f"{where}.containerPort")
        if one.get("hostPort"):
            yield from rules.port(one["hostPort"], f"{where}.hostPort")
        yield from rules.choice(one, where, "protocol", ("SCTP", "TCP", "UDP"))


def _environment(variables: list[Manifest], path: str) -> Iterator[Cause]:
    for index, one in enumerate(variables):
        where, name = f"{path}[{index}]", one.get("name")
        if not name:
            yield rules.missing(f"{where}.name")
        elif not VARIABLE.fullmatch(name):
            yield rules.invalid(f"{where}.name", name, VARIABLE_RULE)
        if one.get("valueFrom") is not None:
            yield from _source(one, f"{where}.valueFrom")


def _source(variable: Manifest, path: str) -> Iterator[Cause]:
    source = variable["valueFrom"]
    given = [name for name in SOURCES if source.get(name) is not None]
    if not given:
        yield rules.invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`")
    if len(given) > 1:
        yield rules.invalid(path, "", "may not have more than one field specified at a time")
    if given and variable.get("value"):
        yield rules.invalid(path, "", "may not be specified when `value` is not empty")
    for name in ("configMapKeyRef", "secretKeyRef"):
        if name in given:
            yield from rules.required(source[name], f"{path}.{name}", "name", "key")
    if "fieldRef" in given:
        yield from _field_path(source["fieldRef"].get("fieldPath"), f"{path}.fieldRef.fieldPath")


def _field_path(value: Any, path: str) -> Iterator[Cause]:
    if not value:
        yield rules.missing(path)
    elif re.sub(r"\['.*'\]$", "", value) not in FIELD_PATHS:
        yield rules.invalid(path, value, f"error converting fieldPath: field label not supported: {value}")


def _environment_sources(sources: list[Manifest], path: str) -> Iterator[Cause]:
    for one in sources:
        given = [name for name in ("configMapRef", "secretRef") if one.get(name) is not None]
        if not given:
            yield rules.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        if len(given) > 1:
            yield rules.invalid(path, "", "may not have more than one field specified at a time")


def _resources(resources: Manifest, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            yield from _amount(name, amount, f"{path}.{field}[{name}]")
    for name, amount in requests.items():
        if name in limits and thousandths(amount) > thousandths(limits[name]):
            yield rules.invalid(f"{path}.requests", str(amount), f"must be less than or equal to {name} limit")


def _amount(name: str, amount: Any, path: str) -> Iterator[Cause]:
    for why in qualified.name_complaints(name):
        yield rules.invalid(path, name, why)
    if "/" not in name and name not in STANDARD_RESOURCES and not name.startswith("hugepages-"):
        yield rules.invalid(path, name, "must be a standard resource type or fully qualified")
        yield rules.invalid(path, name, "must be a standard resource for containers")
    elif thousandths(amount) < 0:
        yield rules.invalid(path, str(amount), rules.NOT_NEGATIVE)
    elif "/" in name and thousandths(amount) % 1000:
        yield rules.invalid(path, str(amount), "must be an integer")


def _mounts(mounts: Iterable[Manifest], path: str, volumes: set[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in enumerate(mounts):
        where, place = f"{path}[{index}]", str(one.get("mountPath") or "")
        if not one.get("name"):
            yield rules.missing(f"{where}.name")
        elif one["name"] not in volumes:
            yield Cause(f"{where}.name", f"Not found: {rules.shown(one['name'])}", "NotFound")
        if not place:
            yield rules.missing(f"{where}.mountPath")
        elif place in seen:
            yield rules.invalid(f"{where}.mountPath", place, "must be unique")
        seen.add(place)


def _volumes(volumes: Iterable[Manifest], path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, one in enumerate(volumes):
        where, name = f"{path}[{index}]", str(one.get("name") or "")
        kinds = [field for field in one if field != "name"]
        for field in kinds[1:]:
            yield rules.forbidden(f"{where}.{field}", "may not specify more than 1 volume type")
        for field in kinds[:1]:
            yield from rules.required(one[field], f"{where}.{field}", *([VOLUME_NEEDS[field]] if field in VOLUME_NEEDS else []))
        if not name:
            yield rules.missing(f"{where}.name")
        else:
            yield from rules.label_name(name, f"{where}.name")
        if name in seen:
            yield rules.duplicate(f"{where}.name", name)
        seen.add(name)


def _probe(probe: Manifest, path: str) -> Iterator[Cause]:
    yield from _handler(probe, path)
    yield from rules.not_negative(probe, path, *PROBE_NUMBERS)


def _only_once(probe: Manifest, path: str) -> Iterator[Cause]:
    """A probe for which one success is enough, always."""
    yield from _probe(probe, path)
    if probe.get("successThreshold", 1) != 1:
        yield rules.invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _lifecycle(lifecycle: Manifest, path: str) -> Iterator[Cause]:
    for field in ("postStart", "preStop"):
        if lifecycle.get(field) is not None:
            yield from _handler(lifecycle[field], f"{path}.{field}")


def _handler(holder: Manifest, path: str) -> Iterator[Cause]:
    given = [name for name in HANDLERS if holder.get(name) is not None]
    if not given:
        yield rules.missing(path, "must specify a handler type")
    for name in given[1:]:
        yield rules.forbidden(f"{path}.{name}", "may not specify more than 1 handler type")
    action, where = (holder[given[0]], f"{path}.{given[0]}") if given else ({}, "")
    if given[:1] == ["exec"]:
        yield from rules.required(action, where, "command")
    if given[:1] == ["httpGet"]:
        yield from rules.choice(action, where, "scheme", ("HTTP", "HTTPS"))
    if given[:1] in (["httpGet"], ["tcpSocket"]):
        yield from rules.port_or_name(action.get("port"), f"{where}.port")


def _security(context: Manifest, path: str) -> Iterator[Cause]:
    for name in ("runAsUser", "runAsGroup"):
        value = context.get(name)
        if value is not None and not 0 <= value <= MAX_ID:
            yield rules.invalid(f"{path}.{name}", value, f"must be between 0 and {MAX_ID}, inclusive")
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        yield rules.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")


# Part of a container → its rules.
PARTS: Mapping[str, Callable[[Any, str], Iterable[Cause]]] = {
    "ports": _ports,
    "env": _environment,
    "envFrom": _environment_sources,
    "resources": _resources,
    "securityContext": _security,
    "lifecycle": _lifecycle,
    "livenessProbe": _only_once,
    "startupProbe": _only_once,
    "readinessProbe": _probe,
}
