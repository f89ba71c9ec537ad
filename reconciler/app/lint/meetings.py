"""Where routers meet: Rollouts that move the same traffic or make the same object, two routers on one object, and whose Ingress it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.app.lint.finding import Remark, Remarks, Severity
from reconciler.app.lint.library import Library
from reconciler.app.router_plugins import installed
from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, name_of, namespace_of
from reconciler.rollouts.traffic.named import routing_of, services_of
from reconciler.rollouts.traffic.router import ConfiguredRouter, Services, served

LONGEST_NAME, LONGEST_SERVICE = 253, 63
CLASS_NOTE = "kubernetes.io/ingress.class"
KNOWN_CLASSES = (
    "alb",
    "ambassador",
    "apisix",
    "azure",
    "cilium",
    "contour",
    "gce",
    "haproxy",
    "istio",
    "kong",
    "nginx",
    "openshift",
    "traefik",
)
"""Words in the names and controllers of ingress classes that tell whose they are."""
CLASSED = ("nginx", "alb")
"""The routers whose Ingresses have to be of a class of theirs."""


@dataclass(frozen=True, slots=True)
class _RouterUse:
    """One router of one Rollout, and the objects that it needs."""

    rollout: str
    each: ConfiguredRouter
    services: Services

    @property
    def named(self) -> tuple[ObjectRef, ...]:
        return self.each.router.needs(self.each.config, self.services).named

    @property
    def made(self) -> tuple[ObjectRef, ...]:
        return self.each.router.needs(self.each.config, self.services).made

    @property
    def sides(self) -> tuple[str, ...]:
        """Between what it moves traffic: two of the same sides on one object move the same."""
        rule = self.each.config.get("destinationRule")
        return self.services.canary, self.services.stable, str(rule.get("name")) if isinstance(rule, dict) else ""


def meeting_remarks(rollout: Manifest, library: Library) -> Remarks:
    """Everything in which this Rollout's routers meet others, or one another."""
    ours = list(_routers(rollout))
    place = (namespace_of(rollout), name_of(rollout))
    others = [found.manifest for found in library.of_kind("Rollout") if found.key not in library.misshapen]
    theirs = [one for other in others if (namespace_of(other), name_of(other)) != place for one in _routers(other)]
    yield from _shared(ours, theirs)
    yield from _twice(ours)
    yield from _long(ours)
    yield from _classes(ours, library)


def _routers(rollout: Manifest) -> Iterator[_RouterUse]:
    for each in served(installed(), routing_of(rollout)):
        yield _RouterUse(f"{namespace_of(rollout)}/{name_of(rollout)}", each, services_of(rollout))


def _shared(ours: list[_RouterUse], theirs: list[_RouterUse]) -> Remarks:
    for one in ours:
        for other in theirs:
            same = [ref for ref in one.named if ref in other.named and one.sides == other.sides]
            for ref in same:
                words = f"Rollout {other.rollout} moves the same traffic of {ref}: each would undo what the other writes"
                yield Remark(one.each.field, words, suggestion="give each Rollout Services and routes of its own")
            for ref in (ref for ref in one.made if ref in other.made):
                yield Remark(one.each.field, f"Rollout {other.rollout} makes {ref}, too: only one of them can own it")


def _twice(ours: list[_RouterUse]) -> Remarks:
    known: dict[ObjectRef, str] = {}
    for one in ours:
        for ref in one.named:
            if ref in known and known[ref] != one.each.name:
                words = f"{known[ref]} and {one.each.name} both route {ref}: one gateway carries out one of them"
                yield Remark(one.each.field, words, Severity.WARNING, "name an object of its own for each router")
            known.setdefault(ref, one.each.name)


def _long(ours: list[_RouterUse]) -> Remarks:
    """Names that no server takes, and names that are cut: two that are cut to the same are one object."""
    for one in ours:
        for ref in one.named:
            if len(ref.name) > LONGEST_NAME:
                yield Remark(
                    one.each.field, f"{ref.resource.kind} {ref.name[:40]}… has {len(ref.name)} letters: a name has at most {LONGEST_NAME}"
                )
        for ref in one.made:
            if len(ref.name) >= LONGEST_NAME:
                words = f"what it makes is called {ref.name[:40]}…, cut at {LONGEST_NAME} letters: another one may be cut to the same name"
                yield Remark(one.each.field, words, Severity.WARNING, "shorten the name of the Rollout or of the object")
    for field, name in (("canaryService", ours[0].services.canary), ("stableService", ours[0].services.stable)) if ours else ():
        if len(name) > LONGEST_SERVICE:
            words = f"has {len(name)} letters: the name of a Service has at most {LONGEST_SERVICE}"
            yield Remark(f"spec.strategy.canary.{field}", words)


def _classes(ours: list[_RouterUse], library: Library) -> Remarks:
    for one in ours:
        if one.each.name not in CLASSED:
            continue
        for ref in one.named:
            found = library.find(ref.resource.kind, ref.namespace, ref.name)
            named = _class_of(found) if found is not None else ""
            whose = _whose(named, library)
            if whose and whose != one.each.name:
                words = f"{ref} is of class {named}, which {whose} carries out: what {one.each.name} writes has no effect there"
                yield Remark(
                    one.each.field, words, Severity.WARNING, f"name an Ingress of a class of {one.each.name}, or the router of {whose}"
                )


def _class_of(ingress: Manifest) -> str:
    spec = ingress.get("spec")
    named = annotations_of(ingress).get(CLASS_NOTE) or (spec.get("ingressClassName") if isinstance(spec, dict) else "")
    return str(named or "")


def _whose(named: str, library: Library) -> str:
    """Which controller carries out a class, as far as its IngressClass or its name tells; empty where they do not."""
    found = library.find("IngressClass", "", named) if named else None
    spec = found.get("spec") if found is not None else None
    told = str(spec.get("controller") or "") if isinstance(spec, dict) else named
    return next((word for word in KNOWN_CLASSES if word in told.lower()), "")
