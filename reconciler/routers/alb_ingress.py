"""What an Ingress says to the AWS Load Balancer Controller: actions, conditions, and the paths that lead to them (contract 9.5).

An action is the JSON of an annotation `actions.<name>`, taken where a path has the backend `<name>` with the port name `use-annotation`;
`conditions.<name>` are added to the path's own. Keys may be written in any case, as for the controller.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.kernel.identity import Manifest

ALB = "alb.ingress.kubernetes.io"
BY_ANNOTATION = "use-annotation"
EVERYTHING = "/*"


def target(service: str, port: int, weight: int) -> Manifest:
    return {"ServiceName": service, "ServicePort": str(port), "Weight": weight}


def action(targets: Sequence[Manifest], stickiness: Manifest | None) -> str:
    """A forward action as the reference writes it."""
    config: Manifest = {"TargetGroups": list(targets)}
    if stickiness:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": stickiness["durationSeconds"]}
    return json.dumps({"Type": "forward", "ForwardConfig": config}, separators=(",", ":"))


def weights(text: Any) -> Mapping[str, int]:
    """The weight of every Service that a forward action names; nothing of what is none. A target without a weight counts as 1."""
    groups = _lower(_lower(_decoded(text)).get("forwardconfig")).get("targetgroups")
    found = [_lower(group) for group in groups] if isinstance(groups, list) else []
    return {str(group["servicename"]): _whole(group.get("weight", 1)) for group in found if group.get("servicename")}


def conditions(text: Any) -> list[Manifest]:
    """The conditions of an annotation; none of what cannot be read."""
    found = _decoded(text)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def written(found: Sequence[Manifest]) -> str:
    return json.dumps(list(found), separators=(",", ":"))


def paths_to(manifest: Manifest, service: str) -> list[Manifest]:
    """The paths of an Ingress whose backend is this Service."""
    return [path for rule in _rules(manifest) for path in _paths(rule) if _service(path).get("name") == service]


def by_annotation(path: Manifest) -> bool:
    """True for a path whose backend is the action of that name."""
    port = _service(path).get("port")
    return isinstance(port, dict) and port.get("name") == BY_ANNOTATION


def with_paths(manifest: Manifest, root: str, names: Sequence[str], *, plain: bool) -> Manifest:
    """The Ingress with a path to each of these actions right before every path of the root: of the same form, so that it is met first.

    `plain`: one path for everything at the top of each rule that leads to the root, as the reference makes it.
    """

    def led(paths: list[Any]) -> Iterator[Any]:
        ours = [path for path in paths if _service(path).get("name") == root]
        if plain and ours:
            yield from (_path(EVERYTHING, "ImplementationSpecific", name) for name in names)
        for path in paths:
            if not plain and path in ours:
                yield from (_path(path.get("path"), path.get("pathType"), name) for name in names)
            yield path

    return _repathed(manifest, led) if names else manifest


def without_paths(manifest: Manifest, names: Iterable[str]) -> Manifest:
    """The Ingress without the paths to these actions."""
    gone = frozenset(names)
    return _repathed(manifest, lambda paths: (p for p in paths if not (by_annotation(p) and _service(p).get("name") in gone)))


def _path(path: Any, kind: Any, name: str) -> Manifest:
    made = {"path": path, "pathType": kind, "backend": {"service": {"name": name, "port": {"name": BY_ANNOTATION}}}}
    return {key: value for key, value in made.items() if value is not None}


def _repathed(manifest: Manifest, change: Callable[[list[Any]], Iterable[Any]]) -> Manifest:
    """The Ingress with the paths of every rule changed; the same object where none is."""
    if not _rules(manifest):
        return manifest
    before = manifest["spec"]["rules"]
    after = [
        {**rule, "http": {**rule["http"], "paths": list(change(rule["http"]["paths"]))}}
        if isinstance(rule, dict) and _paths(rule)
        else rule
        for rule in before
    ]
    return manifest if after == before else {**manifest, "spec": {**manifest["spec"], "rules": after}}


def _rules(manifest: Manifest) -> list[Manifest]:
    spec = manifest.get("spec")
    rules = spec.get("rules") if isinstance(spec, dict) else None
    return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def _paths(rule: Manifest) -> list[Manifest]:
    http = rule.get("http")
    paths = http.get("paths") if isinstance(http, dict) else None
    return [path for path in paths if isinstance(path, dict)] if isinstance(paths, list) else []


def _service(path: Any) -> Manifest:
    backend = path.get("backend") if isinstance(path, dict) else None
    service = backend.get("service") if isinstance(backend, dict) else None
    return service if isinstance(service, dict) else {}


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _lower(value: Any) -> Manifest:
    return {str(key).lower(): member for key, member in value.items()} if isinstance(value, dict) else {}


def _whole(weight: Any) -> int:
    return weight if isinstance(weight, int) else 0
