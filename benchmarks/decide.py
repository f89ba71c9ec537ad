"""`decide` for one routed canary in the middle of its steps; parsing and hashing are not part of it (DESIGN §6)."""

from benchmarks.measure import Row, median_seconds
from reconciler.controller.rollout_observe import RolloutObserver
from reconciler.core.rollout.decide import decide
from reconciler.core.turn.observed import Observed
from reconciler.model.resources import SERVICES, VIRTUAL_SERVICES
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.store import run_through
from tests.kit.world import World, deployed


def rows(rounds: int = 2000) -> list[Row]:
    """The median of many decisions over the same facts."""
    world = paused_canary()
    observed, now = facts(world), world.clock.now()
    seconds = median_seconds(lambda: decide(observed, now), rounds)
    return [Row("decide, one rollout mid-canary", seconds * 1e6, 100, "µs", f"median of {rounds}")]


def paused_canary() -> World:
    """A canary with Istio that has stopped at weight 25."""
    others = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
    spec = rollout(canary=canary(weight(25), pause(), weight(75), pause(), istio=True))
    return deployed(spec, *others, (VIRTUAL_SERVICES, virtual_service())).push("web:2").settle()


def facts(world: World) -> Observed:
    """What the controller would hand to `decide` now."""
    observer = RolloutObserver(world.client, world.cache, "")  # type: ignore[arg-type]
    resolved = run_through(observer.resolve(world.rollout))
    return run_through(observer.observe(world.rollout, resolved, world.clock.now()))
