"""Checks that a pod template can be read at all: every known field has the type that Kubernetes gives it, quantities included.

What typed clients cannot read is refused by name before anything is computed from it. Fields that `shapes` does not know are the API's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.kernel.problem import Problem, invalid
from reconciler.rollouts.replicas.shapes import SHAPES, Field

QUANTITY = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
NOT_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})
LISTS = _words(
    "volumes initContainers containers ephemeralContainers imagePullSecrets tolerations hostAliases readinessGates "
    "topologySpreadConstraints schedulingGates resourceClaims ports envFrom env volumeMounts volumeDevices httpHeaders "
    "sysctls options matchExpressions matchFields nodeSelectorTerms preferredDuringSchedulingIgnoredDuringExecution items "
    "sources resizePolicy claims"
)
TEXT_LISTS = _words("finalizers command args add drop nameservers searches hostnames matchLabelKeys mismatchLabelKeys namespaces values")
TEXT_MAPS = _words("labels annotations nodeSelector matchLabels volumeAttributes")
OBJECTS = _words("ephemeral clusterTrustBundle")
NUMBERS = _words(
    "terminationGracePeriodSeconds activeDeadlineSeconds priority hostPort containerPort initialDelaySeconds timeoutSeconds "
    "periodSeconds successThreshold failureThreshold seconds runAsUser runAsGroup fsGroup tolerationSeconds maxSkew "
    "minDomains weight defaultMode mode expirationSeconds"
)
FLAGS = _words(
    "automountServiceAccountToken hostNetwork hostPID hostIPC shareProcessNamespace enableServiceLinks setHostnameAsFQDN "
    "hostUsers optional readOnly stdin stdinOnce tty privileged runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation "
    "hostProcess"
)


def unreadable_problem(selector: Any, template: Any) -> Problem | None:
    """Why nothing can be computed from a selector and a pod template; None when they have the types that all other rules rely on."""
    return selector_problem(selector) or template_problem(template)


def template_problem(template: Any, path: str = "spec.template") -> Problem | None:
    """The first field of a pod template that is not of its type."""
    return next(_struct(template, "PodTemplate", path), None)


def selector_problem(selector: Any, path: str = "spec.selector") -> Problem | None:
    """The first field of a label selector that is not of its type, or an operator that there is not."""
    return next(_selector(selector, path), None)


def _selector(selector: Any, path: str) -> Iterator[Problem]:
    yield from _struct(selector, "Selector", path)
    for index, requirement in enumerate(selector.get("matchExpressions") or ()):
        place = f"{path}.matchExpressions[{index}]"
        if requirement.get("operator") not in OPERATORS:
            yield invalid(f"{place}.operator", requirement.get("operator") or "", "not a valid selector operator")
        if not requirement.get("key"):
            yield Problem(f"{place}.key", "Required value")


def _struct(value: Any, shape: str, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield invalid(path, value, "must be an object")
        return
    for field in SHAPES[shape]:
        if value.get(field.name) is not None:
            yield from _field(value[field.name], field, shape, f"{path}.{field.name}")


def _field(value: Any, field: Field, owner: str, path: str) -> Iterator[Problem]:
    if field.shape == "Quantity":
        yield from _scalar(value, _quantity, NOT_QUANTITY, path)
    elif field.shape == "Quantities":
        yield from _each(value, path, lambda item, place: _scalar(item, _quantity, NOT_QUANTITY, place))
    elif field.name in LISTS and not (owner == "NodeAffinity" and field.shape == "NodeSelector"):
        yield from _items(value, path, lambda item, place: _struct(item, field.shape, place) if field.shape else _object(item, place))
    elif field.name.startswith("required") and owner == "PodAffinity":
        yield from _items(value, path, lambda item, place: _struct(item, field.shape, place))
    elif field.shape:
        yield from _struct(value, field.shape, path)
    else:
        yield from _plain(value, field.name, owner, path)


def _plain(value: Any, name: str, owner: str, path: str) -> Iterator[Problem]:
    if name in TEXT_LISTS:
        yield from _items(value, path, _text)
    elif name == "supplementalGroups":
        yield from _items(value, path, lambda item, place: _scalar(item, _number, "must be an integer", place))
    elif name in TEXT_MAPS:
        yield from _each(value, path, _text)
    elif name in OBJECTS:
        yield from _object(value, path)
    elif name == "port":
        either = _number(value) or (isinstance(value, str) and owner != "Grpc")
        yield from () if either else (invalid(path, value, "must be a port or the name of one"),)
    elif name in NUMBERS:
        yield from _scalar(value, _number, "must be an integer", path)
    elif name in FLAGS:
        yield from _scalar(value, lambda found: isinstance(found, bool), "must be a boolean", path)
    else:
        yield from _text(value, path)


def _text(value: Any, path: str) -> Iterator[Problem]:
    return _scalar(value, lambda found: isinstance(found, str), "must be a string", path)


def _object(value: Any, path: str) -> Iterator[Problem]:
    return _scalar(value, lambda found: isinstance(found, dict), "must be an object", path)


def _scalar(value: Any, fits: Callable[[Any], bool], detail: str, path: str) -> Iterator[Problem]:
    if not fits(value):
        yield invalid(path, value, detail)


def _items(value: Any, path: str, check: Callable[[Any, str], Iterator[Problem]]) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield invalid(path, value, "must be a list")
        return
    for index, item in enumerate(value):
        yield from check(item, f"{path}[{index}]")


def _each(value: Any, path: str, check: Callable[[Any, str], Iterator[Problem]]) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield invalid(path, value, "must be an object")
        return
    for key, item in value.items():
        yield from check(item, f"{path}.{key}")


def _number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value == int(value)


def _quantity(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    return QUANTITY.fullmatch(str(value)) is not None
