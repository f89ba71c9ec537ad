"""`plan` for one routed canary in the middle of its steps; parsing and hashing are not part of it (ADR 0030)."""

from benchmarks.measure import Row, processor_seconds
from reconciler.kernel.resources import SERVICES, VIRTUAL_SERVICES
from reconciler.rollouts.facts import RolloutFacts
from reconciler.rollouts.observe import ObserverTerms, RolloutObserver
from reconciler.rollouts.plan import plan
from reconciler.routers.registry import ROUTERS
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.store import run_through
from tests.kit.world import World, deployed


def rows(rounds: int = 2000) -> list[Row]:
    """Many decisions over the same facts: the one in the middle, and the one that 99 of 100 are not slower than."""
    world = paused_canary()
    observed, now = facts(world), world.clock.now()
    spans = processor_seconds(lambda: plan(observed, now), rounds)
    middle, slow = spans[rounds // 2] * 1e6, spans[rounds * 99 // 100] * 1e6
    loop = processor_seconds(lambda: sum(range(10_000)), 200)[100] * 1e6
    return [
        Row(
            "plan, one rollout mid-canary",
            middle,
            100,
            "µs",
            f"median of {rounds}; best {spans[0] * 1e6:.0f} µs, sum(range(10000)) {loop:.0f} µs",
        ),
        Row("plan, one rollout mid-canary, p99", slow, 300, "µs", f"{slow / middle:.1f} × the median"),
    ]


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
