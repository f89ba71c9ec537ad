"""A model of traffic in place of Envoy: who is asked how often, from what the API holds, counted as Istio counts.

Rates change only when pods, Services or routes do; samples of the time between are written when a query asks for them.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler_sandbox.apiserver.store import Collection
from reconciler_sandbox.apiserver.store import Store as Objects
from reconciler_sandbox.controllers.addresses import selects
from reconciler_sandbox.controllers.objects import is_active, is_ready, labels_of
from reconciler_sandbox.mesh.translate.endpoints import workload_of
from reconciler_sandbox.mesh.translate.hosts import covers, full_host
from reconciler_sandbox.metrics.labels import NAME, Labels, labels
from reconciler_sandbox.metrics.store import Store
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours

Manifest = dict[str, Any]
HASH = "rollouts-pod-template-hash"
REVISION = "service.istio.io/canonical-revision"
TICK = 1.0
TESTERS = 1.0
"""Requests a second that carry the headers of a route by header, or go to a preview's Service."""
KEPT = 900.0
"""Seconds of samples that are kept; of a longer silence only its end is written."""
BUCKETS = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000)
RELEVANT = frozenset({"pods", "services", "virtualservices", "destinationrules", "rollouts"})


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests of one kind to the pods of one Service: how many a second, who counts them, and whether users send them."""

    service: Manifest
    rate: float
    subset: Mapping[str, str]
    reporters: tuple[str, ...] = ("source", "destination")
    by_users: bool = True


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests that are counted together: under which labels, and how many milliseconds each takes."""

    marks: Labels
    milliseconds: float


Span = tuple[float, Mapping[Flow, float]]
"""Until when requests came by which rates."""


class Traffic:
    """Users of one cluster. `users` is how many requests a second each Service that is called from outside gets.

    `origin` is what the loop's time 0 is in seconds of the calendar; `durations` says that somebody asks how long requests take.
    """

    def __init__(self, objects: Objects, behaviours: Behaviours, *, users: float, origin: float, durations: bool) -> None:
        self.store = Store(KEPT)
        self._users = users
        self._objects = objects
        self._behaviours = behaviours
        self._origin = origin
        self._durations = durations
        self._known: dict[str, list[Manifest]] = {}
        self._series: dict[Flow, Sequence[tuple[Labels, float]]] = {}
        self._counts: dict[Flow, float] = defaultdict(float)
        self._rates: Mapping[Flow, float] | None = None
        self._moved: dict[Flow, float] = {}
        self._spans: deque[Span] = deque()
        self._swept = 0.0
        self._borne: dict[str, float] = defaultdict(float)
        """How many requests each pod has had that fails after so many, by UID."""
        self._counted, self._known_until, self._tick = 0.0, 0.0, TICK

    def changes(self, collection: Collection, now: float) -> None:
        """Something in the store has changed: what came until now came by the old rates."""
        if collection.plural in RELEVANT:
            self.close(now)
            self._known.clear()

    def close(self, now: float) -> None:
        """What comes from now on may come by other rates."""
        self._close(now)
        self._rates = None

    def advance(self, now: float) -> None:
        """Count, and write the samples, until now: it is somebody's question that needs them."""
        self._close(now)
        silent = now - KEPT
        if self._tick < silent:
            self._count(silent)
            self._tick = silent - silent % TICK + TICK
        while self._tick <= now:
            self._count(self._tick)
            self._write(self._tick)
            self._tick += TICK
        self._count(now)
        if now - self._swept > KEPT:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Forget what is older than what is kept, and counters that have stood still for so long: versions come and go."""
        self._swept = now
        self.store.forget_before(round((now + self._origin) * 1000))
        for flow in [flow for flow, moved in self._moved.items() if moved < now - KEPT]:
            del self._moved[flow], self._counts[flow]
            self._series.pop(flow, None)

    def _close(self, now: float) -> None:
        """What is asked by these rates ends now. What is older than what is kept is counted at once, so that no list grows."""
        if now <= self._known_until:
            return
        if self._rates is None:
            self._rates = self._measured()
        self._spans.append((now, self._rates))
        if self._wear(now - self._known_until):
            self._rates = None
        self._known_until = now
        old = now - KEPT
        while self._spans and self._spans[0][0] < old:
            self._count(self._spans[0][0])

    def _wear(self, seconds: float) -> bool:
        """Count what pods have had that fail after so many requests; True if one of them begins to fail now."""
        begins = False
        for stream in self._streams() if any(b.errors_after_requests is not None for b in self._behaviours.values()) else ():
            pods = self._pods(stream)
            for pod in pods:
                most = self._image_behaviour(pod).errors_after_requests
                if most is not None and "source" in stream.reporters:
                    before = self._borne[pod["metadata"]["uid"]]
                    after = self._borne[pod["metadata"]["uid"]] = before + stream.rate * seconds / len(pods)
                    begins = begins or before < most <= after
        return begins

    def shares(self) -> Mapping[str, float]:
        """Users' requests a second by pod template hash; the empty hash stands for requests that meet no pod."""
        return self._by_hash(by_users=True)

    def testers(self) -> Mapping[str, float]:
        """The same of testers' requests: by header, or to a preview."""
        return self._by_hash(by_users=False)

    def _by_hash(self, *, by_users: bool) -> Mapping[str, float]:
        found: dict[str, float] = defaultdict(float)
        for stream in self._streams():
            if stream.by_users is not by_users or not (by_users or "source" in stream.reporters):
                continue
            pods = [labels_of(pod).get(HASH, "unknown") for pod in self._pods(stream)]
            for hashed in pods or [""]:
                found[hashed] += stream.rate / max(len(pods), 1)
        return found

    def _count(self, until: float) -> None:
        while self._counted < until and self._spans:
            end, rates = self._spans[0]
            passed = min(end, until) - self._counted
            for flow, rate in rates.items():
                self._counts[flow] += rate * passed
                self._moved[flow] = self._counted + passed
            self._counted = min(end, until)
            if end <= until:
                self._spans.popleft()

    def _write(self, at: float) -> None:
        time = round((at + self._origin) * 1000)
        for flow, count in self._counts.items():
            if flow not in self._series:
                self._series[flow] = list(_series_of(flow, durations=self._durations))
            for series, factor in self._series[flow]:
                self.store.append(series, time, count * factor)

    def _measured(self) -> Mapping[Flow, float]:
        found: dict[Flow, float] = defaultdict(float)
        for stream in self._streams():
            for flow, rate in self._served(stream):
                found[flow] += rate
        return found

    # -- who is asked -------------------------------------------------------------------------------------------------

    def _all(self, plural: str) -> list[Manifest]:
        if plural not in self._known:
            collections = [one for (_, name), one in self._objects.collections.items() if name == plural]
            self._known[plural] = [entry.manifest for one in collections for entry in one.sorted(None)]
        return self._known[plural]

    def _pods_of(self, namespace: str) -> list[Manifest]:
        key = f"pods in {namespace}"
        if key not in self._known:
            self._known[key] = [pod for pod in self._all("pods") if pod["metadata"].get("namespace") == namespace]
        return self._known[key]

    def _streams(self) -> Iterator[Stream]:
        services = {(s["metadata"]["namespace"], s["metadata"]["name"]): s for s in self._all("services")}
        reached: set[tuple[str, str]] = set()
        for virtual in self._all("virtualservices"):
            for stream in self._routed(virtual, services):
                reached.add((stream.service["metadata"]["namespace"], stream.service["metadata"]["name"]))
                yield stream
        previews, canaries = self._unknown("blueGreen", "previewService"), self._unknown("canary", "canaryService")
        for place, service in services.items():
            if place in reached | canaries or not service["spec"].get("selector"):
                continue
            by_testers = place in previews
            yield Stream(service, TESTERS if by_testers else self._users, {}, by_users=not by_testers)

    def _unknown(self, strategy: str, field: str) -> set[tuple[str, str]]:
        """Services that no user knows: what the Rollouts' strategies name in this field."""
        named = ((r["metadata"]["namespace"], (r["spec"].get("strategy") or {}).get(strategy) or {}) for r in self._all("rollouts"))
        return {(namespace, found[field]) for namespace, found in named if found.get(field)}

    def _routed(self, virtual: Manifest, services: Mapping[tuple[str, str], Manifest]) -> Iterator[Stream]:
        namespace = virtual["metadata"]["namespace"]
        for route in (virtual.get("spec") or {}).get("http") or ():
            by_header = any(match.get("headers") for match in route.get("match") or ())
            for target, rate in self._targets(route, TESTERS if by_header else self._users):
                stream = self._to(target, namespace, services, rate)
                if stream is not None:
                    yield replace(stream, by_users=stream.by_users and not by_header)
            if not by_header:
                return

    def _targets(self, route: Manifest, rate: float) -> Iterator[tuple[Manifest, float]]:
        """Where the requests of a route go, and how many; mirrored ones, which only servers count, are negative."""
        destinations = route.get("route") or ()
        for destination in destinations:
            weight = destination.get("weight", 100 if len(destinations) == 1 else 0)
            yield destination.get("destination") or {}, rate * weight / 100
        if route.get("mirror"):
            yield route["mirror"], -rate * (route.get("mirrorPercentage") or {}).get("value", 100) / 100

    def _to(self, target: Manifest, namespace: str, services: Mapping[tuple[str, str], Manifest], rate: float) -> Stream | None:
        name, _, rest = str(target.get("host", "")).partition(".")
        service = services.get((rest.partition(".")[0] or namespace, name))
        if service is None or not rate:
            return None
        reporters = ("destination",) if rate < 0 else ("source", "destination")
        return Stream(service, abs(rate), self._subset(target, namespace), reporters, by_users=rate > 0)

    def _subset(self, target: Manifest, namespace: str) -> Mapping[str, str]:
        rules = (r for r in self._all("destinationrules") if r["metadata"]["namespace"] == namespace)
        named = (subset for rule in rules for subset in rule["spec"].get("subsets") or () if subset["name"] == target.get("subset"))
        return next((subset.get("labels") or {} for subset in named), {}) if target.get("subset") else {}

    def answering(self, host: str, headers: Mapping[str, str]) -> list[Behaviour]:
        """The pods that may answer one call to this host with these headers (names in small letters), as they behave."""
        services = {(s["metadata"]["namespace"], s["metadata"]["name"]): s for s in self._all("services")}
        for virtual in self._all("virtualservices"):
            spec, namespace = virtual.get("spec") or {}, virtual["metadata"]["namespace"]
            if not any(covers(full_host(pattern, namespace), full_host(host, namespace)) for pattern in spec.get("hosts") or ()):
                continue
            route: Manifest = next((r for r in spec.get("http") or () if _fits(r, headers)), {})
            streams = [self._to(target, namespace, services, rate) for target, rate in self._targets({**route, "mirror": None}, 1.0)]
            return [self._behaviour(pod) for stream in streams if stream is not None for pod in self._pods(stream)]
        name, _, rest = host.partition(".")
        service = services.get((rest.partition(".")[0], name))
        return [self._behaviour(pod) for pod in self._pods(Stream(service, 1.0, {}))] if service is not None else []

    # -- what they get ------------------------------------------------------------------------------------------------

    def _pods(self, stream: Stream) -> list[Manifest]:
        return [pod for pod in self._pods_of(stream.service["metadata"]["namespace"]) if self._answers(pod, stream)]

    def _served(self, stream: Stream) -> Iterator[tuple[Flow, float]]:
        pods = self._pods(stream)
        for reporter in stream.reporters:
            if not pods and reporter == "source":
                yield _flow(_marks(reporter, stream.service, None), 2.0, response_code="503", response_flags="UH"), stream.rate
            for pod in pods:
                yield from _answered(_marks(reporter, stream.service, pod), self._behaviour(pod), stream.rate / len(pods))

    def _answers(self, pod: Manifest, stream: Stream) -> bool:
        service, carried = stream.service, labels_of(pod)
        chosen = all(carried.get(name) == value for name, value in stream.subset.items())
        return chosen and is_active(pod) and is_ready(pod) and selects(service["spec"].get("selector") or {}, pod)

    def _behaviour(self, pod: Manifest) -> Behaviour:
        """How it answers now: one that fails after so many requests is good until then."""
        behaviour = self._image_behaviour(pod)
        most = behaviour.errors_after_requests
        if most is None:
            return behaviour
        worn = self._borne[pod["metadata"]["uid"]] >= most
        return replace(behaviour, error_rate=(behaviour.error_rate or 1.0) if worn else 0.0)

    def _image_behaviour(self, pod: Manifest) -> Behaviour:
        known = [self._behaviours[c["image"]] for c in pod["spec"]["containers"] if c["image"] in self._behaviours]
        return known[0] if known else Behaviour("unknown")


def _fits(route: Manifest, headers: Mapping[str, str]) -> bool:
    """True if a call with these headers takes the route: one of its matches says so, or it has none."""
    matches = route.get("match") or ()
    return not matches or any(all(_says(rule, headers.get(n.lower())) for n, rule in (m.get("headers") or {}).items()) for m in matches)


def _says(rule: Manifest, value: str | None) -> bool:
    if value is None:
        return False
    if "exact" in rule:
        return bool(value == rule["exact"])
    if "prefix" in rule:
        return value.startswith(str(rule["prefix"]))
    return re.fullmatch(str(rule.get("regex", ".*")), value) is not None


def _answered(marks: Mapping[str, str], behaviour: Behaviour, rate: float) -> Iterator[tuple[Flow, float]]:
    failing = 1.0 if behaviour.hang else behaviour.error_rate
    status = "504" if behaviour.hang else "200" if behaviour.grpc_error else str(behaviour.error_status)
    milliseconds = max(behaviour.latency * 1000, 2.0)
    protocol = "grpc" if behaviour.grpc_error else "http"
    said = ("0", "13") if behaviour.grpc_error else ("", "")
    if failing < 1:
        good = _flow(marks, milliseconds, response_code="200", request_protocol=protocol, grpc_response_status=said[0])
        yield good, rate * (1 - failing)
    if failing:
        yield _flow(marks, milliseconds, response_code=status, request_protocol=protocol, grpc_response_status=said[1]), rate * failing


def _flow(marks: Mapping[str, str], milliseconds: float, **more: str) -> Flow:
    return Flow(labels({**marks, **more}), milliseconds)


def _series_of(flow: Flow, *, durations: bool) -> Iterator[tuple[Labels, float]]:
    """The series of one flow, and what each of its requests adds: a counter, and a histogram if anybody asks for it."""
    marks, name = dict(flow.marks), "istio_request_duration_milliseconds"
    yield labels({**marks, NAME: "istio_requests_total"}), 1.0
    if not durations:
        return
    yield labels({**marks, NAME: f"{name}_count"}), 1.0
    yield labels({**marks, NAME: f"{name}_sum"}), flow.milliseconds
    for bound in (*BUCKETS, float("inf")):
        edge = f"{bound:g}" if bound < float("inf") else "+Inf"
        yield labels({**marks, NAME: f"{name}_bucket", "le": edge}), 1.0 if flow.milliseconds <= bound else 0.0


def _marks(reporter: str, service: Manifest, pod: Manifest | None) -> dict[str, str]:
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    known = labels_of(pod) if pod is not None else {}
    return {
        "reporter": reporter,
        "source_workload": "users",
        "source_workload_namespace": "istio-system",
        "destination_service": f"{name}.{namespace}.svc.cluster.local",
        "destination_service_name": name,
        "destination_service_namespace": namespace,
        "destination_workload": workload_of(pod) if pod is not None else "unknown",
        "destination_workload_namespace": namespace if pod is not None else "unknown",
        "destination_app": known.get("app", "unknown"),
        "destination_version": known.get("version", "unknown"),
        "destination_canonical_service": known.get("app.kubernetes.io/name") or known.get("app", "unknown"),
        "destination_canonical_revision": known.get(REVISION) or known.get(HASH, "unknown" if pod is not None else ""),
        "response_flags": "-",
        "request_protocol": "http",
        "connection_security_policy": "none" if reporter == "destination" else "unknown",
    }
