"""The routers asked, inside the plan: their writes become effects of the pass, and what stands in the way ends it (contract 9.1)."""

from dataclasses import replace

from reconciler.kernel.identity import ObjectRef, name_of, namespace_of
from reconciler.kernel.plan import Action, Create, Emit, Remove, Replace
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.traffic.contest import is_contested, words
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.named import services_of
from reconciler.rollouts.traffic.reading import returned, routing
from reconciler.rollouts.traffic.router import Owner, Routed

ERROR, CONTESTED, RETURNED = "TrafficRoutingError", "TrafficContested", "TrafficReturned"
OUT = "named no more: weights, routes and marks of this Rollout were taken out"


def routed(pass_: Pass, traffic: Traffic, unavailable: str = "") -> Pass:
    """Every router in turn, until one cannot do it: then the pass ends without a status."""
    services = services_of(pass_.facts.rollout, unavailable)
    for asked in pass_.facts.found.routes:
        answer = routing(asked, services, traffic)
        for action in answer.actions:
            pass_ = _written(pass_, asked, action)
            if pass_.ended:
                return pass_
        for notice in answer.events:
            pass_ = pass_.tell(notice.reason, notice.message, warning=notice.warning)
        if answer.problem is not None:
            return pass_.tell(ERROR, answer.problem, warning=True).fail(answer.problem)
    return pass_


def _written(pass_: Pass, asked: Routed, action: Action) -> Pass:
    """The write, unless a person suspended the object or another writer keeps taking it away."""
    if isinstance(action, Remove) and action.ref in pass_.facts.found.held:
        return pass_.fail(f"{action.ref} is suspended: it is not removed")
    if not isinstance(action, Create | Replace):
        return pass_.act(action)
    ref = ObjectRef(action.resource, namespace_of(action.manifest), name_of(action.manifest))
    if ref in pass_.facts.found.held:
        return pass_.fail(f"{ref} is suspended: traffic is not moved")
    contest, live = pass_.facts.found.contests.get(ref), asked.live.get(ref)
    if contest is None or not is_contested(contest, action.manifest, pass_.now):
        return pass_.act(action)
    message = words(ref, live, contest, asked.configured.router.features.shared_fields.get(ref.resource.kind, ()))
    if pass_.now < contest.again_at():
        return pass_.wake(contest.again_at()).fail(message)
    return pass_.act(action).tell(CONTESTED, message, warning=True)


def give_back(pass_: Pass) -> Pass:
    """What the Rollout put into objects that it names no more is taken out, once stable has a pod for what comes home."""
    stable = pass_.facts.stable
    if stable is not None and stable.available == 0:
        return pass_
    owner = Owner(namespace_of(pass_.facts.rollout), pass_.facts.name)
    free = (left for left in pass_.facts.found.left if left.ref not in pass_.facts.found.held)
    given = ((left, returned(left.router, owner, {left.ref: left.manifest})) for left in free)
    returns = tuple((*actions, Emit(pass_.facts.rollout, RETURNED, f"{left.ref}: {OUT}")) for left, actions in given if actions)
    return replace(pass_, returns=returns) if returns else pass_
