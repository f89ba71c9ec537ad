"""The options of a pod's log: what a server refuses before any node is asked."""

from collections.abc import Mapping
from typing import Any

from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.failures import Failure, bad_request, invalid
from reconciler_sandbox.apiserver.kinds import Kind
from reconciler_sandbox.apiserver.listing import number
from reconciler_sandbox.apiserver.times import parse

Manifest = dict[str, Any]
Query = Mapping[str, str]
OPTIONS = Kind("", "v1", "pods", "PodLogOptions")
# Option → the least that it may be, and how that is said.
LEAST: Mapping[str, tuple[int, str]] = {
    "tailLines": (0, "must be greater than or equal to 0"),
    "sinceSeconds": (1, "must be greater than 0"),
    "limitBytes": (1, "must be greater than 0"),
}


def check(pod: Manifest, query: Query) -> None:
    """Refuse options that make no sense (400, 422), and a container that is not there or not said where there are several (400)."""
    causes = [
        Cause(name, f"Invalid value: {value}: {words}")
        for name, (least, words) in LEAST.items()
        if name in query and (value := number(query, name)) < least
    ]
    if query.get("sinceTime") and parse(query["sinceTime"]) is None:
        raise bad_request(f'parsing time "{query["sinceTime"]}" as "2006-01-02T15:04:05Z07:00": cannot parse it')
    if query.get("sinceTime") and query.get("sinceSeconds"):
        causes.append(Cause("[]", "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified", "Forbidden"))
    name = pod["metadata"]["name"]
    if causes:
        raise invalid(OPTIONS, name, causes)
    _check_container(name, pod["spec"], query.get("container", ""))


def _check_container(pod: str, spec: Manifest, wanted: str) -> None:
    names, first, later = (_names(spec, field) for field in ("containers", "initContainers", "ephemeralContainers"))
    if not wanted and len(names) > 1:
        raise _choose(pod, names, first)
    if wanted and wanted not in (*names, *first, *later):
        raise bad_request(f"container {wanted} is not valid for pod {pod}")


def _choose(pod: str, names: list[str], first: list[str]) -> Failure:
    others = f" or one of the init containers: [{' '.join(first)}]" if first else ""
    return bad_request(f"a container name must be specified for pod {pod}, choose one of: [{' '.join(names)}]{others}")


def _names(spec: Manifest, field: str) -> list[str]:
    return [str(container.get("name")) for container in spec.get(field) or ()]
