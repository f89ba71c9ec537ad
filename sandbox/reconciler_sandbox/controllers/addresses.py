"""Which addresses and ports a Service stands for: pure, from the Service and its pods."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from reconciler_sandbox.controllers.objects import Manifest, is_active, is_ready, labels_of, name_of, uid_of

Ports = tuple[tuple[str, int, str, str], ...]


def members_of(service: Manifest, pods: Sequence[Manifest]) -> Mapping[Ports, Sequence[Manifest]]:
    """The pods behind a Service that have an address and are not going away, by the ports its names resolve to in them."""
    groups: dict[Ports, list[Manifest]] = defaultdict(list)
    for pod in pods:
        if is_active(pod) and (pod.get("status") or {}).get("podIP"):
            groups[_ports(service, pod)].append(pod)
    return {ports: sorted(group, key=_by_address) for ports, group in sorted(groups.items())}


def subsets_of(service: Manifest, pods: Sequence[Manifest]) -> list[Manifest]:
    """The subsets of the Service's Endpoints: ready pods in `addresses`, the others in `notReadyAddresses`."""
    subsets = []
    for ports, group in members_of(service, pods).items():
        ready = [_address(pod) for pod in group if _serves(service, pod)]
        waiting = [_address(pod) for pod in group if not _serves(service, pod)]
        subset: Manifest = {"addresses": ready} if ready else {}
        if waiting:
            subset["notReadyAddresses"] = waiting
        if ports:
            subset["ports"] = [_port(port) for port in ports]
        subsets.append(subset)
    return subsets


def _serves(service: Manifest, pod: Manifest) -> bool:
    return is_ready(pod) or bool(service["spec"].get("publishNotReadyAddresses"))


def _ports(service: Manifest, pod: Manifest) -> Ports:
    resolved = []
    for port in service["spec"].get("ports") or ():
        number = _target(port, pod)
        if number is not None:
            resolved.append((port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol", "")))
    return tuple(resolved)


def _target(port: Manifest, pod: Manifest) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    if target.isdigit():
        return int(target)
    for container in pod["spec"]["containers"]:
        for offered in container.get("ports") or ():
            if offered.get("name") == target and offered.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(offered["containerPort"])
    return None


def _port(port: tuple[str, int, str, str]) -> Manifest:
    name, number, protocol, application = port
    written: Manifest = {"port": number, "protocol": protocol}
    if name:
        written["name"] = name
    if application:
        written["appProtocol"] = application
    return written


def _by_address(pod: Manifest) -> tuple[int, str]:
    return int(ip_address(pod["status"]["podIP"])), name_of(pod)


def _target_reference(pod: Manifest) -> Manifest:
    return {"kind": "Pod", "namespace": pod["metadata"]["namespace"], "name": name_of(pod), "uid": uid_of(pod)}


def _address(pod: Manifest) -> Manifest:
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName", ""), "targetRef": _target_reference(pod)}


def selects(selector: Mapping[str, str], pod: Manifest) -> bool:
    """Whether a Service's selector picks the pod; an empty selector picks none."""
    return bool(selector) and selector.items() <= labels_of(pod).items()
