"""Router plug-ins: routers of other people, held to the contract of ours, so that one that misbehaves costs only the Rollouts that name it.

What a plug-in answers is looked at before it is believed: it writes kinds that it declared and objects that it asked for, each from the
version that was read, and nothing again that it has just written. It is called with copies: what it does to them changes nothing here.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Action, Create, Remove, Replace
from reconciler.kernel.problem import Problem
from reconciler.kernel.shapes import Shapes
from reconciler.rollouts.traffic.marks import carried
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.router import PLUGINS, Features, InForce, Live, Needs, Notice, Owner, RoutesAsked, Routing, Services

OUR_GROUPS = ("", "apps", "batch", "argoproj.io", "reconciler.dev", "rbac.authorization.k8s.io", "admissionregistration.k8s.io")
"""Groups whose objects no router writes: the daemon's rights there are for other things."""
ASKED = ("needs", "route", "release", "problems", "in_force", "carry")
ANYTHING = Features(header=True, mirror=True, maximum=True, ping_pong=True, experiments=True)
Answer = TypeVar("Answer")


class Broken(Exception):
    """What a plug-in did against its contract, in words."""


@dataclass(frozen=True, slots=True)
class PluggedInRouter:
    """The router of one entry point; `reason` is why it cannot be used, and then it refuses every Rollout that names it."""

    name: str
    router: Any
    reason: str = ""

    @property
    def features(self) -> Features:
        return (
            self.router.features if not self.reason else Features(header=True, mirror=True, maximum=True, ping_pong=True, experiments=True)
        )

    @property
    def kinds(self) -> tuple[Resource, ...]:
        return tuple(self.router.kinds) if not self.reason else ()

    @property
    def shapes(self) -> Shapes:
        """The configuration of a plug-in may hold anything."""
        return {}

    def needs(self, config: Manifest, services: Services) -> Needs:
        return self._or(Needs(), lambda: self._needed(config, services))

    def route(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        """Its writes, if they keep the contract; else none of them and what is wrong."""
        if self.reason:
            return Routing(problem=self._words(self.reason))
        try:
            answer = self._routed(config, services, traffic, live)
            if answer.problem is None:
                self._settled(config, services, traffic, _after(live, answer.actions))
        except (Exception, SystemExit) as error:
            words = self._words(_said(error))
            return Routing(events=(Notice("RouterPluginError", words, warning=True),), problem=words)
        return answer

    def release(self, owner: Owner, live: Live) -> tuple[Action, ...]:
        """What it gives back; nothing where it fails to: the object stays as it is."""
        return self._or((), lambda: tuple(self._allowed(self.router.release(owner, deepcopy(dict(live))), live)))

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        """Why it cannot be used, or else what it says itself of the configuration."""
        place = f"spec.strategy.canary.trafficRouting.{PLUGINS}.{self.name}"
        if self.reason:
            yield Problem(place, self.reason)
            return
        try:
            yield from (Problem(place, str(one.detail)) for one in self.router.problems(deepcopy(config), asked))
        except (Exception, SystemExit) as error:
            yield Problem(place, f"cannot check its configuration: {_said(error)}")

    def in_force(self, config: Manifest, services: Services, live: Live) -> InForce:
        try:
            return _is(InForce, self.router.in_force(deepcopy(config), services, deepcopy(dict(live))))
        except (Exception, SystemExit) as error:
            return InForce(subject=self.name, problem=self._words(_said(error)))

    def carry(self, config: Manifest, services: Services, desired: Manifest, live: Manifest) -> Manifest:
        """What it makes of a push; where it fails to, its own objects stay as they live: a push never moves traffic."""
        place = (str(desired.get("kind")), namespace_of(desired), name_of(desired))
        if place not in [(ref.resource.kind, ref.namespace, ref.name) for ref in self.needs(config, services).refs]:
            return desired
        kept = carried({**desired, "spec": live.get("spec")}, live)
        return self._or(
            kept, lambda: _same_place(desired, self.router.carry(deepcopy(config), services, deepcopy(desired), deepcopy(live)))
        )

    def _needed(self, config: Manifest, services: Services) -> Needs:
        needs = _is(Needs, self.router.needs(deepcopy(config), services))
        for ref in needs.refs:
            if not isinstance(ref, ObjectRef) or ref.resource not in self.kinds or not (ref.name and ref.namespace):
                raise Broken(f"it asks for {ref}, which is of none of its kinds, or without a name")
        return needs

    def _routed(self, config: Manifest, services: Services, traffic: Traffic, live: Live) -> Routing:
        answer = _is(Routing, self.router.route(deepcopy(config), services, traffic, deepcopy(dict(live))))
        events = tuple(Notice(str(one.reason), str(one.message)[:1024], bool(one.warning)) for one in answer.events)
        problem = None if answer.problem is None else str(answer.problem)[:1024]
        return Routing(tuple(self._allowed(answer.actions, live)), events, problem)

    def _settled(self, config: Manifest, services: Services, traffic: Traffic, after: Live) -> None:
        """Raises Broken for a plug-in that would write for ever, or that reads another weight than it wrote."""
        if self._routed(config, services, traffic, after).actions:
            raise Broken("it wants to write again what it has just written")
        found = _is(InForce, self.router.in_force(deepcopy(config), services, deepcopy(dict(after)))).weight
        if found is not None and found != traffic.weight:
            raise Broken(f"it wrote weight {traffic.weight} and reads {found}")

    def _allowed(self, actions: Any, live: Live) -> Iterator[Action]:
        """Its writes. Raises Broken for one that is not of an object which it asked for, as that was read."""
        for action in actions:
            ref = _written(action)
            if ref.resource not in self.kinds or ref not in live:
                raise Broken(f"it writes {ref}, which it did not ask for")
            found = live[ref]
            if (found is None) is not isinstance(action, Create):
                raise Broken(f"it {'writes' if found is None else 'creates'} {ref}, which {'is not' if found is None else 'is'} there")
            if found is not None and _version(action, found) != _version(None, found):
                raise Broken(f"it writes {ref} from another version than it was given")
            yield action

    def _or(self, otherwise: Answer, asked: Callable[[], Answer]) -> Answer:
        """What a plug-in answers, or this where it cannot be asked or fails."""
        if self.reason:
            return otherwise
        try:
            return asked()
        except (Exception, SystemExit):  # whatever other people's code does: `route` and `in_force` say it on the Rollout
            return otherwise

    def _words(self, reason: str) -> str:
        return f'router plug-in "{self.name}": {reason}'


def plugged_in(name: str, made: Any) -> PluggedInRouter:
    """What an entry point made as a router, or one that says what it lacks."""
    return PluggedInRouter(name, made, _lacking(made))


def unusable(name: str, reason: str) -> PluggedInRouter:
    return PluggedInRouter(name, None, reason)


def absent(name: str) -> PluggedInRouter:
    """One of which only the name is known: it is taken for able, and nothing is said of its configuration."""
    return PluggedInRouter(name, _Unknown(), "")


class _Unknown:
    features = ANYTHING
    kinds = ()

    def problems(self, config: Manifest, asked: RoutesAsked) -> Iterator[Problem]:
        return iter(())


def _lacking(made: Any) -> str:
    missing = [method for method in ASKED if not callable(getattr(made, method, None))]
    if missing:
        return f"is no router: it has no {', '.join(missing)}"
    features, kinds = getattr(made, "features", None), getattr(made, "kinds", None)
    if not isinstance(features, Features):
        return "is no router: its features are no Features"
    if not isinstance(kinds, tuple) or not kinds or not all(isinstance(kind, Resource) for kind in kinds):
        return "is no router: its kinds are no tuple of Resources"
    ours = [kind.kind for kind in kinds if kind.group in OUR_GROUPS or not kind.namespaced or not kind.optional]
    if ours:
        return f"may not write {', '.join(ours)}: kinds of a router are namespaced, optional and of a mesh or gateway"
    if not isinstance(features.shared_fields, Mapping) or not set(features.makes) <= {kind.kind for kind in kinds}:
        return "is no router: it makes kinds that it does not declare"
    return ""


def _is(kind: type[Answer], answer: Any) -> Answer:
    if not isinstance(answer, kind):
        raise Broken(f"it answered {type(answer).__name__}, and no {kind.__name__}")
    return answer


def _written(action: Any) -> ObjectRef:
    if isinstance(action, Remove):
        return action.ref
    if isinstance(action, Create | Replace) and isinstance(action.manifest, dict):
        return ObjectRef(action.resource, namespace_of(action.manifest), name_of(action.manifest))
    raise Broken(f"it answered {type(action).__name__}: a router creates, replaces and removes")


def _version(action: Action | None, found: Manifest) -> tuple[Any, Any]:
    """(uid, resourceVersion) that a write is bound to; those of the object itself without one."""
    if isinstance(action, Remove):
        return action.uid, found["metadata"].get("resourceVersion")
    manifest = action.manifest if isinstance(action, Replace) else found
    return uid_of(manifest), manifest["metadata"].get("resourceVersion")


def _same_place(desired: Manifest, answer: Any) -> Manifest:
    told = _is(dict, answer)
    if (told.get("kind"), namespace_of(told), name_of(told)) != (desired.get("kind"), namespace_of(desired), name_of(desired)):
        raise Broken("it carries over into another object")
    return told


def _after(live: Live, actions: tuple[Action, ...]) -> Live:
    """The objects once these writes are carried out."""
    after = dict(live)
    for action in actions:
        after[_written(action)] = None if isinstance(action, Remove) else action.manifest if isinstance(action, Create | Replace) else None
    return after


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"[:300]
