"""nginx: a canary Ingress beside each stable one, made, owned and removed by us, and weighted by annotations (contract 9.4).

Annotations: kubernetes.github.io/ingress-nginx, "Canary". A request that is told by header or cookie there never meets the weight.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Replace
from reconciler.kernel.problem import Problem, invalid
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.made import is_ours, made, not_ours, removals, was_made
from reconciler.rollouts.traffic.marks import carried, controlling, mark_of
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services

INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", optional=True)
FIELD = "spec.strategy.canary.trafficRouting.nginx"
SERVICES = "Canary service and Stable service must to be set to use Traffic Routing"
EITHER = "Either StableIngress or StableIngresses must be configured."
ONE, SEVERAL = "stableIngress", "stableIngresses"
PREFIX, PREFIXED, VERBATIM = "annotationPrefix", "additionalIngressAnnotations", "canaryIngressAnnotations"
NGINX = "nginx.ingress.kubernetes.io"
CLASS = "kubernetes.io/ingress.class"
CANARY, WEIGHT, TOTAL = "canary", "canary-weight", "canary-weight-total"
SUFFIX, LONGEST = "-canary", 253
WRITTEN = "annotations"
KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""What Kubernetes takes for the key of an annotation."""


class Nginx:
    """The router of `trafficRouting.nginx`. It reads the stable Ingresses in the Rollout's namespace and never writes them."""

    features = Features(maximum=True, shared_fields={INGRESSES.kind: (".metadata.annotations", ".spec")}, makes=(INGRESSES.kind,))
    kinds = (INGRESSES,)
    shapes: ClassVar[Shapes] = {"nginx": f"{ONE}:text {SEVERAL}[]:text {PREFIX}:text {PREFIXED}* {VERBATIM}*"}

    def needs(self, config: Manifest, services: Services) -> Needs:
        """The stable Ingresses, and in the same order the canary Ingresses."""
        names = _names(config)
        stable = tuple(ObjectRef(INGRESSES, services.namespace, name) for name in names)
        return Needs(stable, tuple(ObjectRef(INGRESSES, services.namespace, canary_name(services.rollout, name)) for name in names))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """One write a canary Ingress that is not as wanted yet; none of them while one cannot be."""
        needed = self.needs(config, services)
        taken = (not_ours(ref, services) for ref in needed.made if (found := live.get(ref)) and not is_ours(found, services))
        problem = next((words for _, words in self._obstacles(config, services, live)), None) or next(taken, None)
        if problem is not None:
            return Routing(events=(Notice("IngressNotUsable", problem, warning=True),), problem=problem)
        actions, told = [], []
        for stable, ref in zip(needed.named, needed.made, strict=True):
            before, wanted = live.get(ref), _wanted(config, services, traffic, live[stable] or {}, _former(ref, live))
            if wanted == before:
                continue
            actions.append(Replace(INGRESSES, wanted) if before else Create(INGRESSES, wanted))
            words = f"`{ref.name}` set to desiredWeight '{traffic.weight}'"
            told.append(Notice("PatchingCanaryIngress" if before else "CreatingCanaryIngress", words))
        return Routing(tuple(actions), tuple(told))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """The canary Ingresses of this Rollout go: what they took is stable's again."""
        return removals(live, lambda found: was_made(found, owner) or _was_made_by_reference(found, owner))

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """Not exactly one of the two ways to name Ingresses, missing Services, and annotations that no API server takes (contract 12)."""
        one, several = bool(config.get(ONE)), bool(config.get(SEVERAL))
        if one == several:
            yield Problem(FIELD, f"Internal error: {EITHER} {'Both' if one else 'Neither'} are configured.")
        elif not _names(config):
            yield invalid(f"{FIELD}.{ONE if one else SEVERAL}", str(config.get(ONE) or config.get(SEVERAL)), "must name Ingresses")
        yield from _twice(config)
        if not (asked.canary and asked.stable):
            yield invalid(f"spec.strategy.{'canaryService' if asked.stable else 'stableService'}", "", SERVICES)
        yield from _annotation_problems(config)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight on a canary Ingress; 0 before there is one."""
        needed = self.needs(config, services)
        key = f"{_prefix(config)}/{WEIGHT}"
        weights = [_number(annotations_of(live.get(ref) or {"metadata": {}}).get(key)) for ref in needed.made]
        subject, problem = next(self._obstacles(config, services, live), (needed.named[0].name if needed.named else "", None))
        return InForce(weight=max(weights, default=None), subject=subject, problem=problem, warnings=tuple(_ineffective(config)))

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """A canary Ingress that is in Git all the same: what we wrote into it as it lives."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        made_ones = [(ref.resource.kind, ref.namespace, ref.name) for ref in self.needs(config, services).made]
        if place not in made_ones or not is_ours(live, services):
            return desired
        ours = {key: value for key, value in annotations_of(live).items() if key in _recorded(live, services.owner)}
        owners = live["metadata"].get("ownerReferences") or []
        metadata = {**desired["metadata"], "annotations": {**annotations_of(desired), **ours}, "ownerReferences": owners}
        return carried({**desired, "metadata": metadata, "spec": live.get("spec")}, live)

    def _obstacles(self, config: Manifest, services: Services, live: Live) -> Iterator[tuple[str, str]]:
        """Which stable Ingress cannot be used and why (contract 12.3)."""
        named = self.needs(config, services).named
        if not named:
            yield "", f"{EITHER} Neither are configured."
        for ref in named:
            found = live.get(ref)
            if found is None:
                yield ref.name, f'ingresses.networking.k8s.io "{ref.name}" not found'
            elif not _canary_rules(found, services):
                yield ref.name, f"ingress `{ref.name}` has no rules using service {services.stable} backend"


def canary_name(rollout: str, stable: str) -> str:
    """The name of a canary Ingress: as the reference's, so that what it made is found."""
    return f"{rollout}-{stable}"[: LONGEST - len(SUFFIX)].rstrip(".") + SUFFIX


def _names(config: Manifest) -> tuple[str, ...]:
    one, several = config.get(ONE), config.get(SEVERAL)
    named = [one, *(several if isinstance(several, list) else ())]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _prefix(config: Manifest) -> str:
    prefix = config.get(PREFIX)
    return prefix if isinstance(prefix, str) and prefix else NGINX


def _object(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}


def _twice(config: Manifest) -> Iterator[Problem]:
    """Ingresses whose canaries would have the same name: only the ends of very long names tell them apart."""
    names = _names(config)
    if len({canary_name("", name) for name in names}) < len(names):
        yield invalid(f"{FIELD}.{SEVERAL}", ", ".join(names), "the names are too long to tell their canary Ingresses apart")


def _asked_annotations(config: Manifest) -> Iterator[tuple[str, str, Any]]:
    """(field, key as it is written, value); the later one wins."""
    prefix = _prefix(config)
    for key, value in _object(config.get(PREFIXED)).items():
        yield PREFIXED, key if str(key).startswith(f"{prefix}/") else f"{prefix}/{key}", value
    for key, value in _object(config.get(VERBATIM)).items():
        yield VERBATIM, key, value


def _annotation_problems(config: Manifest) -> Iterator[Problem]:
    for name in (PREFIXED, VERBATIM):
        if config.get(name) is not None and not isinstance(config[name], dict):
            yield invalid(f"{FIELD}.{name}", str(config[name]), "must be a map of annotations")
    if not KEY.fullmatch(f"{_prefix(config)}/{CANARY}"):
        yield invalid(f"{FIELD}.{PREFIX}", _prefix(config), "must be a DNS name, as the part of an annotation's key before the slash")
    for name, key, value in _asked_annotations(config):
        if not KEY.fullmatch(str(key)):
            yield invalid(f"{FIELD}.{name}", key, "is no key of an annotation")
        if not isinstance(value, str):
            yield invalid(f"{FIELD}.{name}[{key}]", value, "must be a text: put it in quotes")


def _ineffective(config: Manifest) -> Iterator[str]:
    ours = {f"{_prefix(config)}/{key}" for key in (CANARY, WEIGHT, TOTAL)}
    for name, key, _value in _asked_annotations(config):
        if key in ours:
            yield f"{name}: {key} has no effect: the Rollout's steps and maxTrafficWeight say it"


def _annotations(config: Manifest, traffic: Traffic, stable: Manifest) -> dict[str, str]:
    """Every annotation that we write on a canary Ingress."""
    prefix = _prefix(config)
    total = {f"{prefix}/{TOTAL}": str(traffic.maximum)} if traffic.maximum != 100 else {}
    asked = {key: value for _, key, value in _asked_annotations(config)}
    asked.pop(f"{prefix}/{TOTAL}", None)
    copied = {key: value for key, value in annotations_of(stable).items() if key == CLASS}
    return {**copied, **asked, f"{prefix}/{CANARY}": "true", f"{prefix}/{WEIGHT}": str(traffic.weight), **total}


def _former(ref: ObjectRef, live: Live) -> Manifest:
    """The canary Ingress as it lives, or the first lines of a new one."""
    new = {"apiVersion": INGRESSES.api_version, "kind": INGRESSES.kind, "metadata": {"name": ref.name, "namespace": ref.namespace}}
    return live.get(ref) or new


def _wanted(config: Manifest, services: Services, traffic: Traffic, stable: Manifest, former: Manifest) -> Manifest:
    """The canary Ingress as it is to be. Annotations of others stay; of ours, those that are no longer asked for go."""
    written = _annotations(config, traffic, stable)
    gone = {*_recorded(former, services.owner), f"{_prefix(config)}/{TOTAL}"}
    notes = {**{key: value for key, value in annotations_of(former).items() if key not in gone}, **written}
    spec = _object(stable.get("spec"))
    kept = ("tls",) if CLASS in notes else ("ingressClassName", "tls")  # an API server takes only one of the two ways to name a class
    wanted = {**{key: spec[key] for key in kept if spec.get(key) is not None}, "rules": _canary_rules(stable, services)}
    canary = {**former, "metadata": {**former["metadata"], "annotations": notes}, "spec": wanted}
    return made(canary, services, {"weight": traffic.weight, "maximum": traffic.maximum, WRITTEN: sorted(written)})


def _recorded(manifest: Manifest, owner: Owner) -> list[str]:
    """The keys of the annotations that we wrote."""
    keys = (mark_of(manifest, owner) or {}).get(WRITTEN)
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


def _canary_rules(stable: Manifest, services: Services) -> list[Manifest]:
    """The rules of the stable Ingress as far as they lead to the stable Service, and to the canary's in place of it."""
    found = _object(stable.get("spec")).get("rules")
    moved = ((rule, _canary_paths(rule, services)) for rule in (found if isinstance(found, list) else ()) if isinstance(rule, dict))
    return [{**rule, "http": {**rule["http"], "paths": paths}} for rule, paths in moved if paths]


def _canary_paths(rule: Manifest, services: Services) -> list[Manifest]:
    found = _object(rule.get("http")).get("paths")
    paths = [path for path in (found if isinstance(found, list) else ()) if isinstance(path, dict)]
    backs = [(path, _object(_object(path.get("backend")).get("service"))) for path in paths]
    ours = [(path, service) for path, service in backs if service.get("name") == services.stable]
    return [{**path, "backend": {**path["backend"], "service": {**service, "name": services.canary}}} for path, service in ours]


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0


def _was_made_by_reference(found: Manifest, owner: Owner) -> bool:
    """True for a canary Ingress that the reference made for the Rollout before us: it carries no mark of ours."""
    named = name_of(found).startswith(f"{owner.name}-") and name_of(found).endswith(SUFFIX)
    return named and controlling(found) == owner and any(k.endswith(f"/{CANARY}") and v == "true" for k, v in annotations_of(found).items())
