"""`plan` for one routed canary in the middle of its steps; parsing and hashing are not part of it (ADR 0030)."""

from benchmarks.measure import Row, median_seconds
from reconciler.kernel.resources import SERVICES, VIRTUAL_SERVICES
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.plan import plan
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.store import run_through
from tests.kit.world import World, deployed


def rows(rounds: int = 2000) -> list[Row]:
    """The median of many decisions over the same facts."""
    world = paused_canary()
    observed, now = facts(world), world.clock.now()
    seconds = median_seconds(lambda: plan(observed, now), rounds)
    return [Row("plan, one rollout mid-canary", seconds * 1e6, 100, "µs", f"median of {rounds}")]


def paused_canary() -> World:
    """A canary with Istio that has stopped at weight 25."""
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    spec = rollout(canary=canary(weight(25), pause(), weight(75), pause(), istio=True))
    return deployed(spec, *others, (VIRTUAL_SERVICES, virtual_service())).push("web:2").settle()


def facts(world: World) -> RolloutFacts:
    """What the controller would hand to `plan` now."""
    observer = RolloutObserver(world.client, world.cache, ROUTERS, ObserverTerms())  # type: ignore[arg-type]
    resolved = run_through(observer.resolve(world.rollout))
    return run_through(observer.observe(world.rollout, resolved, world.clock.now()))
