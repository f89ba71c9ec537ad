"""What the kinds beside workloads insist on: Services, configuration, secrets, addresses, rights, leases and others (see `rules`)."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from reconciler_sandbox.apiserver import rules
from reconciler_sandbox.apiserver.causes import Cause

Manifest = dict[str, Any]
CONFIG_LIMIT = 1024 * 1024
MAX_KEY = 253
KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
# Type of secret → the keys that it cannot be without.
SECRET_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
JSON_KEYS = frozenset({".dockerconfigjson", ".dockercfg"})
ACCOUNT_TOKEN, ACCOUNT_NAME = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
SERVICE_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
POLICIES = ("Ingress", "Egress")
PROTOCOLS = ("SCTP", "TCP", "UDP")


def service(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Service."""
    spec = new["spec"]
    causes = rules.choice(spec, "spec", "type", SERVICE_TYPES) + rules.choice(spec, "spec", "sessionAffinity", ("ClientIP", "None"))
    causes += rules.labels(spec.get("selector"), "spec.selector")
    if spec.get("type") == "ExternalName":
        return causes + (rules.required(spec, "spec", "externalName") or rules.subdomain(spec["externalName"], "spec.externalName"))
    causes += _address(spec)
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None":
        causes.append(rules.missing("spec.ports"))
    causes += _service_ports(ports, spec.get("type") == "ClusterIP")
    before = (old or {}).get("spec") or {}
    if before.get("clusterIP") and spec.get("clusterIP") != before["clusterIP"] and before.get("type") != "ExternalName":
        causes.append(rules.invalid("spec.clusterIP", spec.get("clusterIP"), "field is immutable"))
    return causes


def _address(spec: Manifest) -> list[Cause]:
    address = spec.get("clusterIP")
    if address == "None" and spec.get("type") in ("NodePort", "LoadBalancer"):
        return [rules.invalid("spec.clusterIPs[0]", address, f"may not be set to 'None' for {spec['type']} services")]
    if address in (None, "", "None") or rules.is_address(address):
        return []
    return [rules.invalid("spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]


def _service_ports(ports: list[Manifest], inside: bool) -> Iterator[Cause]:
    names: set[str] = set()
    taken: set[tuple[Any, Any]] = set()
    for index, one in enumerate(ports):
        path, name = f"spec.ports[{index}]", one.get("name")
        if not name and len(ports) > 1:
            yield rules.missing(f"{path}.name")
        if name:
            yield from rules.label_name(name, f"{path}.name")
        if name and name in names:
            yield rules.duplicate(f"{path}.name", name)
        names.add(str(name))
        yield from rules.port(one.get("port", 0), f"{path}.port")
        yield from rules.port_or_name(one.get("targetPort"), f"{path}.targetPort")
        yield from rules.choice(one, path, "protocol", PROTOCOLS)
        if inside and one.get("nodePort"):
            yield rules.forbidden(f"{path}.nodePort", "may not be used when `type` is 'ClusterIP'")
        if (place := (one.get("port"), one.get("protocol"))) in taken:
            yield rules.duplicate(path, {"port": place[0], "protocol": place[1]})
        taken.add(place)


def config_map(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A ConfigMap."""
    causes = _keys(new, "data") + _keys(new, "binaryData")
    twice = sorted(set(new.get("data") or ()) & set(new.get("binaryData") or ()))
    causes += [rules.invalid(f"data[{key}]", key, "duplicate of key present in binaryData") for key in twice]
    return causes + _too_large(new) + _unchangeable(new, old)


def _keys(new: Manifest, field: str) -> list[Cause]:
    return [rules.invalid(f"{field}[{key}]", key, why) for key in new.get(field) or () for why in _key_complaints(key)]


def _key_complaints(key: str) -> list[str]:
    broken = (
        (len(key) > MAX_KEY, f"must be no more than {MAX_KEY} characters"),
        (not re.fullmatch(r"[-._a-zA-Z0-9]+", key), KEY_RULE),
        (key in (".", ".."), f"must not be '{key}'"),
        (key.startswith("..") and key != "..", "must not start with '..'"),
    )
    return [why for wrong, why in broken if wrong]


def _too_large(new: Manifest) -> list[Cause]:
    size = sum(len(key) + len(value) for field in ("data", "binaryData") for key, value in (new.get(field) or {}).items())
    return [Cause("[]", f"Too long: may not be more than {CONFIG_LIMIT} bytes", "TooLong")] if size > CONFIG_LIMIT else []


def _unchangeable(new: Manifest, old: Manifest | None) -> list[Cause]:
    """What has been made immutable stays as it is, and immutable."""
    if old is None or not old.get("immutable"):
        return []
    changed = [field for field in ("data", "binaryData") if new.get(field) != old.get(field)]
    return [
        rules.forbidden(field, "field is immutable when `immutable` is set")
        for field in ([] if new.get("immutable") else ["immutable"]) + changed
    ]


def secret(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Secret."""
    kind, content = new.get("type", ""), new.get("data") or {}
    causes = _keys(new, "data") + [rules.missing(f"data[{key}]") for key in SECRET_KEYS.get(kind, ()) if not _has(content, key, kind)]
    for key in SECRET_KEYS.get(kind, ()):
        if key in JSON_KEYS and content.get(key) and not _is_json(content[key]):
            causes.append(Cause(f"data[{key}]", 'Invalid value: "<secret contents redacted>": it is not JSON'))
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(content):
        causes += [rules.missing(f"data[{key}]") for key in ("username", "password")]
    if kind == ACCOUNT_TOKEN and not (new["metadata"].get("annotations") or {}).get(ACCOUNT_NAME):
        causes.append(rules.missing(f"metadata.annotations[{ACCOUNT_NAME}]"))
    if old is not None and old.get("type") != kind:
        causes.append(rules.invalid("type", kind, "field is immutable"))
    return causes + _too_large(new) + _unchangeable(new, old)


def _has(content: Manifest, key: str, kind: str) -> bool:
    """Whether a key is there; a certificate may be empty, what is looked into may not."""
    return key in content if kind == "kubernetes.io/tls" else bool(content.get(key))


def _is_json(encoded: str) -> bool:
    try:
        orjson.loads(base64.b64decode(encoded))
    except ValueError:
        return False
    return True


def endpoints(new: Manifest, old: Manifest | None) -> list[Cause]:
    """An Endpoints object. Loopback addresses, which a real server refuses, are what pods have here."""
    return [cause for index, subset in enumerate(new.get("subsets") or ()) for cause in _subset(subset, f"subsets[{index}]")]


def _subset(subset: Manifest, path: str) -> Iterator[Cause]:
    for field in ("addresses", "notReadyAddresses"):
        for index, one in enumerate(subset.get(field) or ()):
            if not rules.is_address(one.get("ip")):
                yield rules.invalid(f"{path}.{field}[{index}].ip", one.get("ip"), "must be a valid IP address")
    ports = subset.get("ports") or ()
    for index, one in enumerate(ports):
        if len(ports) > 1 and not one.get("name"):
            yield rules.missing(f"{path}.ports[{index}].name")
        yield from rules.port(one.get("port", 0), f"{path}.ports[{index}].port")
        yield from rules.choice(one, f"{path}.ports[{index}]", "protocol", PROTOCOLS)


def lease(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Lease."""
    spec = new.get("spec") or {}
    causes = []
    if spec.get("leaseDurationSeconds") is not None and spec["leaseDurationSeconds"] <= 0:
        causes.append(rules.invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
    if spec.get("leaseTransitions") is not None and spec["leaseTransitions"] < 0:
        causes.append(rules.invalid("spec.leaseTransitions", spec["leaseTransitions"], rules.NOT_NEGATIVE))
    return causes


def role(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Role, whose rules are about resources only."""
    return [cause for index, rule in enumerate(new.get("rules") or ()) for cause in _rule(rule, f"rules[{index}]", inside=True)]


def cluster_role(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A ClusterRole."""
    return [cause for index, rule in enumerate(new.get("rules") or ()) for cause in _rule(rule, f"rules[{index}]", inside=False)]


def _rule(rule: Manifest, path: str, *, inside: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield rules.missing(f"{path}.verbs", "verbs must contain at least one value")
    if rule.get("nonResourceURLs"):
        if inside:
            yield rules.invalid(f"{path}.nonResourceURLs", rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs")
        return
    if not rule.get("apiGroups"):
        yield rules.missing(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield rules.missing(f"{path}.resources", "resource rules must supply at least one resource")


def binding(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A RoleBinding or ClusterRoleBinding, which is for one role for ever."""
    reference = new.get("roleRef") or {}
    known = ("ClusterRole",) if new["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
    causes = rules.choice({"kind": "", **reference}, "roleRef", "kind", known) + rules.required(reference, "roleRef", "name")
    for index, subject in enumerate(new.get("subjects") or ()):
        path = f"subjects[{index}]"
        causes += rules.required(subject, path, "name") + rules.choice(subject, path, "kind", ("ServiceAccount", "User", "Group"))
    if old is not None and reference != old.get("roleRef"):
        causes.append(rules.invalid("roleRef", reference, "cannot change roleRef"))
    return causes


def budget(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A PodDisruptionBudget."""
    spec = new.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        return [rules.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    return []


def ingress(new: Manifest, old: Manifest | None) -> list[Cause]:
    """An Ingress."""
    spec = new.get("spec") or {}
    if not spec.get("defaultBackend") and not spec.get("rules"):
        return [rules.invalid("spec", [], "either `defaultBackend` or `rules` must be specified")]
    causes = []
    for number, one in enumerate(spec.get("rules") or ()):
        for index, place in enumerate((one.get("http") or {}).get("paths") or ()):
            if not place.get("pathType"):
                causes.append(rules.missing(f"spec.rules[{number}].http.paths[{index}].pathType", "pathType must be specified"))
    return causes


def network_policy(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A NetworkPolicy."""
    types = (new.get("spec") or {}).get("policyTypes") or ()
    wrong = [(index, one) for index, one in enumerate(types) if one not in POLICIES]
    listed = ", ".join(f'"{one}"' for one in POLICIES)
    text = "Unsupported value: {}: supported values: " + listed
    return [Cause(f"spec.policyTypes[{index}]", text.format(rules.shown(one)), "NotSupported") for index, one in wrong]


def claim(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A PersistentVolumeClaim."""
    spec = new.get("spec") or {}
    causes = [] if spec.get("accessModes") else [rules.missing("spec.accessModes", "at least 1 access mode is required")]
    requests = (spec.get("resources") or {}).get("requests") or {}
    return causes + ([] if requests.get("storage") else [rules.missing("spec.resources[storage]")])


def revision(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A ControllerRevision, whose data never change."""
    if new.get("data") is None:
        return [rules.missing("data", "data is mandatory")]
    if old is not None and new["data"] != old.get("data"):
        return [rules.invalid("data", new["data"], "field is immutable")]
    return []
