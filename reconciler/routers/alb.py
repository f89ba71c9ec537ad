"""ALB: the action annotation of Ingresses, carried out by the AWS Load Balancer Controller (contract 9.5).

The Ingress is a person's; ours are the action of the root Service, and for each managed route an action, its conditions and paths.
"""

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar

from reconciler.aws.balancers import LoadBalancer
from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, name_of, namespace_of
from reconciler.kernel.plan import Action, Replace
from reconciler.kernel.problem import Problem
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.marks import carried, mark_of, with_mark
from reconciler.rollouts.traffic.model import HeaderRoute, Traffic
from reconciler.rollouts.traffic.router import Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services
from reconciler.rollouts.traffic.verification import Verification
from reconciler.routers import alb_ingress, alb_weights
from reconciler.routers.alb_problems import EITHER, ONE, SEVERAL, problems
from reconciler.routers.nginx import INGRESSES
from reconciler.routers.tags import Tags, tags_of, wanted_tags

PORT, ROOT, PREFIX, STICKINESS = "servicePort", "rootService", "annotationPrefix", "stickinessConfig"
MANAGED = "rollouts.argoproj.io/managed-alb-annotations"
"""What the reference keeps on an Ingress: which Rollout writes which annotations (contract 0.3)."""
SHARED = (f'.metadata.annotations | with_entries(select(.key | startswith("{alb_ingress.ALB}/")))', ".spec.rules")
LONGEST_RULE = 5
"""Values in the conditions of one rule, host and path among them: more an ALB does not take."""


class Alb:
    """The router of `trafficRouting.alb`. While the Rollout names an Ingress the root's action is ours; a mark says what was there."""

    features = Features(header=True, ping_pong=True, experiments=True, verify=True, shared_fields={INGRESSES.kind: SHARED})
    kinds = (INGRESSES,)
    shapes: ClassVar[Shapes] = {
        "alb": f"{ONE}:text {SEVERAL}[]:text {PORT} {ROOT}:text {PREFIX}:text {STICKINESS}:AlbStickiness",
        "AlbStickiness": "enabled durationSeconds",
    }

    def needs(self, config: Manifest, services: Services) -> Needs:
        return Needs(tuple(ObjectRef(INGRESSES, services.namespace, name) for name in names(config)))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """One write an Ingress that is not as wanted yet, all of them looked at; none while one cannot be used (contract 13.57)."""
        problem = next((words for _, words in self._obstacles(config, services, live)), None)
        if problem is None:
            problem = next(_crowded(config, services, traffic, live), None)
        if problem is not None:
            return Routing(events=(Notice("IngressNotUsable", problem, warning=True),), problem=problem)
        actions, told = [], []
        for ref in self.needs(config, services).named:
            found = live[ref] or {}
            wanted = _wanted(found, config, services, traffic)
            if wanted != found:
                actions.append(Replace(INGRESSES, wanted))
                told.append(Notice("PatchingALBIngress", f"Ingress `{ref.name}` set to desiredWeight '{traffic.weight}'"))
        return Routing(tuple(actions), tuple(told))

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """The action as it was before us, else one target for the root; managed routes and records go."""
        given = ((found, _returned(found, owner)) for found in live.values() if found)
        return tuple(Replace(INGRESSES, clean) for found, clean in given if clean is not found)

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        yield from problems(config, asked)

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        """The largest weight that an action gives the canary; the managed routes that have an action and a path."""
        needed = self.needs(config, services).named
        found = [manifest for ref in needed if (manifest := live.get(ref))]
        texts = [annotations_of(one).get(_key(config, "actions", _root(config, services))) for one in found]
        shares = [alb_ingress.weights(text).get(_pair(services)[0]) for text in texts]
        routes = [name for name in services.managed_routes if found and all(_is_made(one, config, name) for one in found)]
        subject, problem = next(self._obstacles(config, services, live), (needed[0].name if needed else "", None))
        weight = max((share for share in shares if share is not None), default=0 if found else None)
        unseen = tuple(words for one in found for words in _unseen(one, config, services))
        return InForce(weight=weight, managed_routes=tuple(routes), subject=subject, problem=problem, warnings=unseen)

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """Our annotations and paths, and the marks, as they live."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        mark = mark_of(live, services.owner)
        if (
            mark is None
            or "key" not in mark
            or place not in [(ref.resource.kind, ref.namespace, ref.name) for ref in self.needs(config, services).named]
        ):
            return desired
        tags, root = tags_of(mark), _root(config, services)
        ours = (MANAGED, _key(config, "actions", root), *(key for name in tags for key in _keys(config, name)))
        notes = {**annotations_of(desired), **{key: text for key, text in annotations_of(live).items() if key in ours}}
        bare = alb_ingress.without_paths({**desired, "metadata": {**desired["metadata"], "annotations": notes}}, tags)
        return carried(alb_ingress.with_paths(bare, root, tuple(tags), plain=services.plain_routes), live)

    def hostnames(self, config: Manifest, services: Services, live: Live) -> tuple[str, ...]:
        """The load balancers of its Ingresses."""
        found = (live.get(ref) or {} for ref in self.needs(config, services).named)
        return tuple(dict.fromkeys(name for ingress in found for name in alb_weights.hostnames(ingress)))

    def verify(self, config: Manifest, services: Services, traffic: Traffic, live: Live, found: Mapping[str, LoadBalancer]) -> Verification:
        """Canary and experiments have their weights behind every Ingress."""
        canary, stable = (f"{name}:{_port(config)}" for name in _pair(services))
        shares = {canary: traffic.weight, **{f"{other.service}:{_port(config)}": other.weight for other in traffic.additional}}
        ingresses = [one for ref in self.needs(config, services).named if (one := live.get(ref))]
        return alb_weights.compared(ingresses, shares, (canary, stable), found)

    def _obstacles(self, config: Manifest, services: Services, live: Live) -> Iterator[tuple[str, str]]:
        """Which Ingress cannot be used and why (contract 12.3)."""
        named, root = self.needs(config, services).named, _root(config, services)
        if not named:
            yield "", f"{EITHER} Neither are configured."
        for ref in named:
            found = live.get(ref)
            if found is None:
                yield ref.name, f'ingresses.networking.k8s.io "{ref.name}" not found'
            elif not alb_ingress.paths_to(found, root):
                yield ref.name, f"ingress `{ref.name}` has no rules using service {root} backend"


def names(config: Manifest) -> tuple[str, ...]:
    """The Ingresses that a configuration names."""
    one, several = config.get(ONE), config.get(SEVERAL)
    named = [one, *(several if isinstance(several, list) else ())]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _pair(services: Services) -> tuple[str, str]:
    """The (canary, stable) Services: here ping and pong come first."""
    if services.ping and services.pong:
        return (services.pong, services.ping) if services.stable_is_ping else (services.ping, services.pong)
    return services.canary, services.stable


def _root(config: Manifest, services: Services) -> str:
    """The Service by whose name the Ingress calls the action."""
    return str(config.get(ROOT) or services.stable)


def _key(config: Manifest, part: str, name: str) -> str:
    return f"{config.get(PREFIX) or alb_ingress.ALB}/{part}.{name}"


def _keys(config: Manifest, name: str) -> tuple[str, str]:
    """The two annotations of a managed route."""
    return _key(config, "actions", name), _key(config, "conditions", name)


def _stickiness(config: Manifest) -> Manifest | None:
    asked = config.get(STICKINESS)
    return asked if isinstance(asked, dict) and asked.get("enabled") is True else None


def _wanted(found: Manifest, config: Manifest, services: Services, traffic: Traffic) -> Manifest:
    """The Ingress as it is to be: what is on record of us taken out, and what is wanted put in."""
    owner, root = services.owner, _root(config, services)
    mark = mark_of(found, owner) or {}
    tags = wanted_tags(tags_of(mark), traffic, _conditions)
    key = _key(config, "actions", root)
    mine = key in _managed(found).get(services.rollout, ())
    kept = mark.get("before") if mark.get("key") == key else None if mine else annotations_of(found).get(key)
    bare = _returned(found, owner)
    notes = {**annotations_of(bare), key: _action(config, services, traffic), **_tag_notes(bare, config, services, tags)}
    keys = [key, *(tag_key for name in tags for tag_key in _keys(config, name))]
    notes[MANAGED] = json.dumps({**_managed(bare), services.rollout: keys}, separators=(",", ":"))
    noted = {**bare, "metadata": {**bare["metadata"], "annotations": notes}}
    led = alb_ingress.with_paths(noted, root, tuple(tags), plain=services.plain_routes)
    held = {
        "key": key,
        "root": root,
        "before": kept,
        "port": config.get(PORT),
        "tags": tags,
        "prefix": config.get(PREFIX) or alb_ingress.ALB,
    }
    return with_mark(led, owner, held)


def _action(config: Manifest, services: Services, traffic: Traffic) -> str:
    canary, stable = _pair(services)
    shares = {canary: traffic.weight, **{other.service: other.weight for other in traffic.additional}}
    shares[stable] = 100 - sum(shares.values())
    return alb_ingress.action([alb_ingress.target(name, _port(config), share) for name, share in shares.items()], _stickiness(config))


def _port(config: Manifest) -> int:
    port = config.get(PORT)
    return port if isinstance(port, int) else 0


def _returned(manifest: Manifest, owner: Owner) -> Manifest:
    """Without what is on record for this Rollout; the same object when nothing is."""
    mark = mark_of(manifest, owner)
    if mark is None or "key" not in mark:  # nothing, or what another router made
        return manifest
    config: Manifest = {PREFIX: mark.get("prefix")}
    tags, key, root, before = tags_of(mark), str(mark.get("key")), str(mark.get("root")), mark.get("before")
    gone = {MANAGED, key, *(tag_key for name in tags for tag_key in _keys(config, name))}
    notes = {name: text for name, text in annotations_of(manifest).items() if name not in gone}
    notes[key] = (
        before if isinstance(before, str) else alb_ingress.action([alb_ingress.target(root, _port({PORT: mark.get("port")}), 100)], None)
    )
    others = {rollout: keys for rollout, keys in _managed(manifest).items() if rollout != owner.name}
    if others:
        notes[MANAGED] = json.dumps(others, separators=(",", ":"))
    bare = alb_ingress.without_paths({**manifest, "metadata": {**manifest["metadata"], "annotations": notes}}, tags)
    return with_mark(bare, owner, None)


def _managed(manifest: Manifest) -> Mapping[str, list[str]]:
    """What the reference's annotation says; nothing of what cannot be read."""
    try:
        found = json.loads(annotations_of(manifest).get(MANAGED) or "{}")
    except ValueError:
        return {}
    return (
        {str(name): [str(key) for key in keys] for name, keys in found.items() if isinstance(keys, list)} if isinstance(found, dict) else {}
    )


def _unseen(manifest: Manifest, config: Manifest, services: Services) -> Iterator[str]:
    root = _root(config, services)
    for path in alb_ingress.paths_to(manifest, root):
        if not alb_ingress.by_annotation(path):
            where = f"Ingress `{name_of(manifest)}`, path {path.get('path', '/')}"
            yield f"{where}: the port of {root} is not named {alb_ingress.BY_ANNOTATION}: weights have no effect there"


# ---- tagged requests ----


def _conditions(route: HeaderRoute) -> list[Manifest]:
    """One condition a header; a header that is named more than once has several values, of which one is enough."""
    values: dict[str, list[str]] = {}
    for match in route.matches:
        values.setdefault(match.name, []).append(match.exact or "")
    return [
        {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": name, "values": list(dict.fromkeys(texts))}}
        for name, texts in values.items()
    ]


def _tag_notes(manifest: Manifest, config: Manifest, services: Services, tags: Tags) -> dict[str, str]:
    """For each managed route the canary alone, under the root's own conditions and those of the step."""
    canary, _ = _pair(services)
    whole = alb_ingress.action([alb_ingress.target(canary, _port(config), 100)], _stickiness(config))
    own = _own_conditions(manifest, config, services)
    notes: dict[str, str] = {}
    for name, tag in tags.items():
        actions, conditions = _keys(config, name)
        notes |= {actions: whole, conditions: alb_ingress.written([*own, *tag])}
    return notes


def _own_conditions(manifest: Manifest, config: Manifest, services: Services) -> list[Manifest]:
    text = annotations_of(manifest).get(_key(config, "conditions", _root(config, services)))
    return [] if services.plain_routes else alb_ingress.conditions(text)


def _is_made(manifest: Manifest, config: Manifest, name: str) -> bool:
    noted = all(key in annotations_of(manifest) for key in _keys(config, name))
    return noted and any(map(alb_ingress.by_annotation, alb_ingress.paths_to(manifest, name)))


def _crowded(config: Manifest, services: Services, traffic: Traffic, live: Live) -> Iterator[str]:
    """Managed routes whose name is taken, and rules with more values than an ALB takes: it would refuse the whole Ingress."""
    for ref in (ObjectRef(INGRESSES, services.namespace, name) for name in names(config)):
        found = live.get(ref) or {"metadata": {}}
        before = tags_of(mark_of(found, services.owner))
        known = {*before, *(tag for tag in services.managed_routes if _is_known(found, config, services, tag))}
        for name, tag in wanted_tags(before, traffic, _conditions).items():
            if name not in known and (alb_ingress.paths_to(found, name) or _keys(config, name)[0] in annotations_of(found)):
                yield f"ingress `{ref.name}` has a backend or an action {name} already: call the managed route otherwise"
            own = _own_conditions(found, config, services)
            values = 2 + sum(len((one.get("httpHeaderConfig") or {}).get("values") or [""]) for one in [*own, *tag])
            if values > LONGEST_RULE:
                yield f"route {name} of ingress `{ref.name}`: {values} values with host and path, and a rule of an ALB takes {LONGEST_RULE}"


def _is_known(manifest: Manifest, config: Manifest, services: Services, name: str) -> bool:
    """True for a managed route that the reference made for the Rollout."""
    return _keys(config, name)[0] in _managed(manifest).get(services.rollout, ())
