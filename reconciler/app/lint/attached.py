"""What is wrong with routes of the Gateway API and with Ingresses, as far as a release depends on them."""

from collections.abc import Iterator
from typing import Any

from reconciler.app.lint.finding import Remark, Remarks
from reconciler.app.lint.library import Library
from reconciler.kernel.identity import Manifest, namespace_of

MOST_WEIGHT = 1_000_000
"""gateway-api.sigs.k8s.io, BackendRef.weight."""
GATEWAY_KIND = "Gateway.gateway.networking.k8s.io"
"""What it is called among files: Istio has a kind of that name, too."""
GATEWAY = ("gateway.networking.k8s.io", "Gateway")


def attached_remarks(manifest: Manifest, library: Library) -> Remarks:
    """A route must hang on a Gateway and lead to Services, with weights of which one counts."""
    spec, home = _object(manifest.get("spec")), namespace_of(manifest)
    for index, parent in enumerate(_objects(spec.get("parentRefs"))):
        field, name = f"spec.parentRefs[{index}].name", parent.get("name")
        if not name:
            yield Remark(field, "is required: the Gateway that serves this route")
        elif (parent.get("group", GATEWAY[0]), parent.get("kind", GATEWAY[1])) == GATEWAY:
            place = (GATEWAY_KIND, str(parent.get("namespace") or home), str(name))
            if library.find(*place) is None:
                yield library.missing(field, place, "")  # often another team's: a folder that has no Gateway need not have this one
    if not _objects(spec.get("parentRefs")):
        yield Remark("spec.parentRefs", "names no Gateway: nothing serves this route")
    for index, rule in enumerate(_objects(spec.get("rules"))):
        yield from _rule(f"spec.rules[{index}]", rule, manifest, library)


def _rule(field: str, rule: Manifest, manifest: Manifest, library: Library) -> Remarks:
    home, backs = namespace_of(manifest), _objects(rule.get("backendRefs"))
    weights = [back.get("weight", 1) for back in backs]
    wrong = next((weight for weight in weights if not _is_weight(weight)), None)
    if wrong is not None:
        yield Remark(f"{field}.backendRefs", f"weights must be whole numbers from 0 to {MOST_WEIGHT:,}, found {wrong!r}")
    elif weights and not sum(weights):
        yield Remark(
            f"{field}.backendRefs", "all weights are 0: no request of this rule is answered", suggestion="give one of them a weight"
        )
    for index, back in enumerate(backs):
        place = f"{field}.backendRefs[{index}]"
        if back.get("kind", "Service") != "Service" or back.get("group"):
            continue
        if not back.get("name"):
            yield Remark(f"{place}.name", "is required")
            continue
        if not back.get("port"):
            yield Remark(f"{place}.port", "is required for a Service")
        service = ("Service", str(back.get("namespace") or home), str(back["name"]))
        if library.find(*service) is None:
            yield library.missing(f"{place}.name", service, home)


def ingress_remarks(manifest: Manifest, library: Library) -> Remarks:
    """The Services that an Ingress leads to; a port that is an annotation's name (ALB) leads to none."""
    home = namespace_of(manifest)
    for field, backend in _backends(_object(manifest.get("spec"))):
        service = _object(backend.get("service"))
        if _object(service.get("port")).get("name") == "use-annotation" or not service:
            continue
        name = service.get("name")
        if not name:
            yield Remark(f"{field}.service.name", "is required")
        elif library.find("Service", home, str(name)) is None:
            yield library.missing(f"{field}.service.name", ("Service", home, str(name)), home)


def _backends(spec: Manifest) -> Iterator[tuple[str, Manifest]]:
    if spec.get("defaultBackend"):
        yield "spec.defaultBackend", _object(spec["defaultBackend"])
    for number, rule in enumerate(_objects(spec.get("rules"))):
        for index, path in enumerate(_objects(_object(rule.get("http")).get("paths"))):
            yield f"spec.rules[{number}].http.paths[{index}].backend", _object(path.get("backend"))


def _is_weight(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_WEIGHT


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Manifest]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
