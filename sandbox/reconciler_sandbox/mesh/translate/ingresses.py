"""Ingresses → routes by host, as ingress-nginx serves them: the longest path first, and beside a path its canary Ingress.

A canary Ingress names a path that another Ingress of its namespace serves. It takes requests by header, then by cookie, then by weight
(kubernetes.github.io/ingress-nginx, "Canary").
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler_sandbox.mesh.translate.expressions import regular_expression
from reconciler_sandbox.mesh.translate.hosts import full_host, namespace_of
from reconciler_sandbox.mesh.translate.index import Index, cluster_name
from reconciler_sandbox.mesh.translate.retries import retry_policy
from reconciler_sandbox.mesh.translate.terms import NO_TIMEOUT, Json, Refused

PREFIX = "nginx.ingress.kubernetes.io/"
CLASS, CLASS_NOTE = "nginx", "kubernetes.io/ingress.class"
ALWAYS, NEVER = "always", "never"
EXACT, ELEMENTS, OPEN = "Exact", "Prefix", "ImplementationSpecific"
EVERY_HOST = "*"


@dataclass(frozen=True, slots=True)
class _Way:
    """One path of one host, and the cluster behind it."""

    namespace: str
    host: str
    kind: str
    path: str
    cluster: str

    @property
    def place(self) -> tuple[str, str, str]:
        return self.host, self.kind, self.path


def ingress_routes(index: Index) -> Mapping[str, list[Json]]:
    """The routes of every host, the most exact first; of two Ingresses with the same path the older one has it."""
    served = [ingress for ingress in index.ingresses if _is_served(ingress)]
    beside = [(way, ingress) for ingress in served if is_canary(ingress) for way in _ways(index, ingress)]
    plain: dict[tuple[str, str, str], _Way] = {}
    for ingress in served:
        for way in _ways(index, ingress) if not is_canary(ingress) else ():
            plain.setdefault(way.place, way)
    found: dict[str, list[Json]] = {}
    for way in sorted(plain.values(), key=lambda way: (way.host, -len(way.path), way.kind != EXACT)):
        canary = next((pair for pair in beside if (pair[0].namespace, pair[0].place) == (way.namespace, way.place)), None)
        found.setdefault(way.host, []).extend(_routes(way, canary))
    return found


def vet_ingress(index: Index, ingress: Json) -> None:
    """Raise Refused, or what malformed objects raise, where this Ingress cannot be served."""
    if not _is_served(ingress):
        return
    if not list(_ways(index, ingress)):
        raise Refused("it has neither a path nor a defaultBackend")
    if is_canary(ingress):
        list(_tagged(ingress))
        _share(ingress)


def _is_served(ingress: Json) -> bool:
    """True for Ingresses of nginx, and for those that say no class."""
    named = _notes(ingress).get(CLASS_NOTE) or ingress["spec"].get("ingressClassName")
    return named in (None, CLASS)


def is_canary(ingress: Json) -> bool:
    """True for an Ingress that only says which requests of another one it takes."""
    return _notes(ingress).get(f"{PREFIX}canary") == "true"


def _notes(ingress: Json) -> Mapping[str, str]:
    return ingress["metadata"].get("annotations") or {}


def _ways(index: Index, ingress: Json) -> Iterator[_Way]:
    namespace, spec = namespace_of(ingress), ingress["spec"]
    for rule in spec.get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            kind, where = path["pathType"], path.get("path") or "/"
            if kind not in (EXACT, ELEMENTS, OPEN) or not where.startswith("/"):
                raise Refused(f"path {where} of type {kind} is not served by this mesh")
            yield _Way(namespace, rule.get("host") or EVERY_HOST, kind, where, _cluster(index, path["backend"], namespace))
    if spec.get("defaultBackend"):
        yield _Way(namespace, EVERY_HOST, ELEMENTS, "/", _cluster(index, spec["defaultBackend"], namespace))


def _cluster(index: Index, backend: Json, namespace: str) -> str:
    """The cluster of a backend; a Service or a name of a port that is not there is a 503 on its own path."""
    host, port = full_host(backend["service"]["name"], namespace), backend["service"]["port"]
    return cluster_name(port.get("number") or index.port_named(host, port["name"]) or 0, "", host)


def _routes(way: _Way, canary: tuple[_Way, Json] | None) -> Iterator[Json]:
    """Requests that a canary Ingress takes by name first, then the others by weight."""
    match = _match(way)
    if canary is None:
        yield _route(match, {"cluster": way.cluster})
        return
    beside, ingress = canary
    for condition, taken in _tagged(ingress):
        yield _route({**match, "headers": [condition]}, {"cluster": beside.cluster if taken else way.cluster})
    weight, total = _share(ingress)
    shares = [(way.cluster, total - weight), (beside.cluster, weight)]
    yield _route(match, {"weighted_clusters": {"clusters": [{"name": name, "weight": share} for name, share in shares if share]}})


def _route(match: Json, to: Json) -> Json:
    return {"match": match, "route": {**to, "timeout": NO_TIMEOUT, "retry_policy": retry_policy(None)}}


def _match(way: _Way) -> Json:
    if way.kind == EXACT:
        return {"path": way.path}
    bare = way.path.rstrip("/")
    return {"prefix": way.path} if way.kind == OPEN or not bare else {"path_separated_prefix": bare}


def _tagged(ingress: Json) -> Iterator[tuple[Json, bool]]:
    """What tells a request, in order, and whether it then goes to the canary."""
    notes = _notes(ingress)
    header, cookie = notes.get(f"{PREFIX}canary-by-header"), notes.get(f"{PREFIX}canary-by-cookie")
    value, pattern = notes.get(f"{PREFIX}canary-by-header-value"), notes.get(f"{PREFIX}canary-by-header-pattern")
    if header and value:
        yield {"name": header, "string_match": {"exact": value}}, True
    elif header and pattern:
        yield {"name": header, "string_match": {"safe_regex": regular_expression(f".*(?:{pattern}).*")}}, True
    elif header:
        yield {"name": header, "string_match": {"exact": ALWAYS}}, True
        yield {"name": header, "string_match": {"exact": NEVER}}, False
    for said, taken in ((ALWAYS, True), (NEVER, False)) if cookie else ():
        expression = rf"(?:.*;\s*)?{re.escape(str(cookie))}={said}(?:;.*)?"
        yield {"name": "cookie", "string_match": {"safe_regex": regular_expression(expression)}}, taken


def _share(ingress: Json) -> tuple[int, int]:
    """The canary's weight and the whole."""
    notes = _notes(ingress)
    weight, total = int(notes.get(f"{PREFIX}canary-weight", "0")), int(notes.get(f"{PREFIX}canary-weight-total", "100"))
    if not 0 <= weight <= total or not total:
        raise Refused(f"canary-weight {weight} is not between 0 and {total}")
    return weight, total
