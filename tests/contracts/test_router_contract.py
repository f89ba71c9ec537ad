"""What every router promises, alone and under the rollout controller; also of a toy, so that the seam stays honest."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from reconciler.app.lint.shapes import misshapen
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource
from reconciler.kernel.plan import Create, Remove, Replace
from reconciler.kernel.resources import DESTINATION_RULES, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.kube.errors import Conflict, Forbidden, Refused
from reconciler.rollouts.traffic.leading import beyond
from reconciler.rollouts.traffic.marks import owners
from reconciler.rollouts.traffic.model import Traffic
from reconciler.rollouts.traffic.named import services_of
from reconciler.rollouts.traffic.router import Live, Owner, RoutesAsked, Services
from reconciler.routers.registry import ROUTERS
from reconciler.routers.traefik import NAME
from tests.kit.routers import CASES, HEADER, OWNER, WHOSE, Case, driven, istio, lives
from tests.kit.store import run_through
from tests.kit.world import World


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


@pytest.fixture(params=[name for name, made in CASES.items() if made().router.features.header])
def heading(request: pytest.FixtureRequest) -> Case:
    """A router that can make header routes."""
    return CASES[request.param]()


@pytest.fixture(params=[name for name, made in CASES.items() if made().objects])
def naming(request: pytest.FixtureRequest) -> Case:
    """A router whose configuration names objects that people keep."""
    return CASES[request.param]()


def traffic(share: int = 20, **change: Any) -> Traffic:
    return Traffic(weight=share, **({"canary_hash": "h2", "stable_hash": "h1", "managed_routes": ("testers",)} | change))


def done(live: Live, actions: tuple[Any, ...]) -> Live:
    """The objects once the writes are carried out."""
    after = dict(live)
    for action in actions:
        assert isinstance(action, Create | Replace | Remove)
        if isinstance(action, Remove):
            assert after[action.ref] is not None
            after[action.ref] = None
            continue
        metadata = action.manifest["metadata"]
        ref = ObjectRef(action.resource, metadata["namespace"], metadata["name"])
        assert (after.get(ref) is None) is isinstance(action, Create)
        after[ref] = action.manifest
    return after


def there(live: Live) -> dict[ObjectRef, Manifest]:
    return {ref: found for ref, found in live.items() if found is not None}


def routed(case: Case, live: Live, wanted: Traffic, services: Services = WHOSE) -> Live:
    wanted = case.able(wanted)
    answer = case.router.route(case.config, services, wanted, live)
    assert answer.problem is None
    return done(live, answer.actions)


MIDWAY = [traffic(0), traffic(1), traffic(20), traffic(100), traffic(0, header_route=HEADER), traffic(50, header_route=HEADER)]


@pytest.mark.parametrize("wanted", MIDWAY)
def test_what_is_written_is_read_back_and_not_written_again(case: Case, wanted: Traffic) -> None:
    before, wanted = deepcopy(case.objects), case.able(wanted)
    after = routed(case, case.live, wanted)
    assert case.objects == before
    found = case.router.in_force(case.config, WHOSE, after)
    assert (found.weight, found.managed_routes, found.problem) == (wanted.weight, ("testers",) if wanted.header_route else (), None)
    for _ in range(3):
        assert case.router.route(case.config, WHOSE, wanted, after) == type(case.router.route(case.config, WHOSE, wanted, after))()


def test_a_header_route_outlives_its_step_and_goes_when_routes_are_dropped(heading: Case) -> None:
    case = heading
    later = routed(case, routed(case, case.live, traffic(0, header_route=HEADER)), traffic(40))
    assert case.router.in_force(case.config, WHOSE, later).managed_routes == ("testers",)
    home = routed(case, later, traffic(0, drop_managed_routes=True))
    assert case.router.in_force(case.config, WHOSE, home).managed_routes == ()


@pytest.mark.parametrize("wanted", MIDWAY)
def test_given_back_no_trace_stays(case: Case, wanted: Traffic) -> None:
    after = routed(case, routed(case, case.live, traffic(10, header_route=HEADER)), wanted)
    back = done(after, case.router.release(OWNER, after))
    assert there(back) == case.objects
    assert case.router.release(OWNER, back) == ()


def test_at_rest_nothing_but_the_versions_is_held(case: Case) -> None:
    rest = routed(case, routed(case, case.live, traffic(60, header_route=HEADER)), traffic(0, drop_managed_routes=True))
    assert case.router.in_force(case.config, WHOSE, rest).weight == 0
    rest = {ref: found for ref, found in rest.items() if ref not in case.made}
    held = [ref for ref, found in rest.items() if found and owners(found)]
    assert case.holding or [ref.resource for ref in held] in ([], [DESTINATION_RULES])
    assert {r: m for r, m in rest.items() if r not in held} == {r: m for r, m in case.objects.items() if r not in held}


def test_what_another_rollout_holds_is_not_given_back(case: Case) -> None:
    after = routed(case, case.live, traffic(30, header_route=HEADER))
    for stranger in (Owner("shop", "other"), Owner("other", "web")):
        assert case.router.release(stranger, after) == ()


def test_a_renamed_managed_route_leaves_nothing(heading: Case) -> None:
    case = heading
    before = routed(case, case.live, traffic(20, header_route=HEADER))
    renamed = replace(WHOSE, managed_routes=("beta",))
    after = routed(case, before, traffic(20, managed_routes=("beta",), header_route=replace(HEADER, name="beta")), renamed)
    assert "testers" not in str([found["spec"] for found in after.values() if found])
    assert case.router.in_force(case.config, renamed, after).managed_routes == ("beta",)


def test_a_push_of_what_git_has_moves_no_traffic(case: Case) -> None:
    after = routed(case, case.live, traffic(30, header_route=HEADER))
    made = {ref: found for ref, found in after.items() if ref in case.made}
    after = {ref: found for ref, found in after.items() if ref not in made}
    pushed = {r: case.router.carry(case.config, WHOSE, case.objects[r], found) for r, found in after.items() if found}
    pushed, after = {**pushed, **made}, {**after, **made}
    assert case.router.in_force(case.config, WHOSE, pushed) == case.router.in_force(case.config, WHOSE, after)
    marks = {r: owners(found) for r, found in after.items() if found and r.resource != DESTINATION_RULES}
    assert {r: owners(found) for r, found in pushed.items() if r in marks} == marks
    assert {r: m["spec"] for r, m in pushed.items()} == {r: found["spec"] for r, found in after.items() if found}
    for ref in after.keys() - made.keys() - set(case.router.needs(case.elsewhere, WHOSE).named):
        found = after[ref]
        assert found is None or case.router.carry(case.elsewhere, WHOSE, case.objects[ref], found) is case.objects[ref]


def test_a_missing_object_is_a_problem_that_names_it_and_no_exception(naming: Case) -> None:
    case = naming
    nothing: Live = dict.fromkeys(case.objects)
    answer = case.router.route(case.config, WHOSE, traffic(), nothing)
    assert answer.problem and answer.actions == () and any(event.warning for event in answer.events)
    assert case.router.in_force(case.config, WHOSE, nothing).problem
    assert case.router.release(OWNER, nothing) == ()


MISSHAPEN: tuple[Manifest, ...] = (
    {},
    {"virtualService": "web"},
    {"virtualServices": "web"},
    {"destinationRule": []},
    {"split": None},
    {NAME: 5},
    {NAME: ["web"]},
    {"httpRoute": 5, "httpRoutes": ["web", {"name": 5}]},
    {"stableIngress": ["web"], "stableIngresses": "web"},
    {"mappings": "web"},
    {"mappings": [5, ""]},
    {"route": "web"},
    {"route": {"name": 5, "rules": "web"}},
    {"virtualNodeGroup": [], "virtualService": ""},
    {"trafficSplitName": 5, "rootService": ["web"]},
)


@pytest.mark.parametrize("config", MISSHAPEN)
def test_a_configuration_of_the_wrong_shape_is_no_exception(case: Case, config: Manifest) -> None:
    assert case.router.needs(config, WHOSE).named == ()
    assert case.router.in_force(config, WHOSE, {}).problem or not case.objects
    assert list(case.router.problems(config, RoutesAsked("", "")))


def test_it_writes_only_kinds_that_it_declares_and_that_a_cluster_need_not_serve(case: Case) -> None:
    needed = case.router.needs(case.config, WHOSE)
    assert {ref.resource for ref in needed.refs} <= set(case.router.kinds)
    assert {ref.resource.kind for ref in needed.made} == set(case.router.features.makes)
    written = [kind for kind in case.router.kinds if kind.kind not in case.router.features.reads]
    assert all(kind.optional for kind in case.router.kinds) and all(case.router.features.shared_fields[kind.kind] for kind in written)
    assert list(case.router.problems(case.config, RoutesAsked("web-canary", "web-stable", (("f", HEADER),)))) == []


# ---- under the controller ----


def share(case: Case, world: World) -> tuple[int | None, tuple[str, ...]]:
    found = case.router.in_force(case.config, services_of(world.rollout), lives(case, world))
    return found.weight, found.managed_routes


def assert_untouched(case: Case, world: World) -> None:
    for ref, found in lives(case, world).items():
        if ref in case.made:
            assert found is None
            continue
        assert found is not None and found["spec"] == case.objects[ref]["spec"]
        assert (found["metadata"].get("annotations") or {}) == case.objects[ref]["metadata"].get("annotations", {})


def test_a_release_goes_through_and_comes_to_rest(case: Case) -> None:
    world = driven(case)
    assert (world.phase, share(case, world)) == ("Paused CanaryPauseStep", (50, case.tagged))
    world.press(pauseConditions=None).settle()
    assert (world.phase, share(case, world)) == ("Healthy", (0, ()))
    assert world.store.events and "TrafficRoutingError" not in world.reasons


def test_a_deleted_rollout_leaves_no_trace(case: Case) -> None:
    world = driven(case)
    world.store.remove(ROLLOUTS, "shop", "web")
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert_untouched(case, world)


def test_the_event_of_a_held_object_leads_to_the_rollout_that_is_gone(case: Case) -> None:
    world = driven(case)
    world.store.remove(ROLLOUTS, "shop", "web")
    for ref, found in lives(case, world).items():
        if (case.made and ref not in case.made) or ref.resource.kind in case.router.features.reads:
            continue
        assert found is not None and list(world.controller.keys_for(ref.resource, found)) == [Key("rollout", "shop", "web")]


def test_a_rollout_that_changes_its_strategy_in_the_middle_leaves_no_trace(case: Case) -> None:
    world = driven(case)
    world.edit({"spec": {"strategy": {"canary": None, "blueGreen": {"activeService": "web-stable"}}}}).settle()
    assert_untouched(case, world)


@pytest.mark.parametrize("routing", [None, {}, {"kong": {"virtualService": {}}}])
def test_a_rollout_that_changes_its_router_in_the_middle_leaves_no_trace(case: Case, routing: Manifest | None) -> None:
    world = driven(case)
    former = {**case.asking(None), "managedRoutes": None}
    change = None if routing is None else {**former, **routing}
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": change}}}}).settle()
    assert_untouched(case, world)


def test_a_rollout_that_names_another_object_in_the_middle_leaves_no_trace_in_the_former(case: Case) -> None:
    world = driven(case)
    for ref in list(case.objects)[:1]:
        world.store.put(ref.resource, {**case.objects[ref], "metadata": {"name": "other", "namespace": "shop"}})
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": case.asking(case.elsewhere)}}}}).settle()
    for ref in list(case.objects)[:1]:
        former = world.store.get(ref.resource, "shop", "web")
        assert former is not None and former["spec"] == case.objects[ref]["spec"] and not owners(former)
    assert world.phase == "Paused CanaryPauseStep"
    moved = {ref: world.store.get(ref.resource, ref.namespace, ref.name) for ref in case.router.needs(case.elsewhere, WHOSE).refs}
    moved |= {ref: world.store.get(ref.resource, ref.namespace, ref.name) for ref in beyond(case.router, moved)}
    assert case.router.in_force(case.elsewhere, WHOSE, moved).weight == 50
    assert not any(lives(case, world)[made] for made in case.made if made not in moved)


def test_an_object_that_may_not_be_written_any_more_holds_up_nothing(case: Case) -> None:
    world = driven(case)

    def refuse(write: str) -> None:
        if not write.startswith("patch") and write.split()[1] in {kind.kind for kind in case.router.kinds}:
            raise Refused(403, "Forbidden", "no")

    world.store.before_write = refuse
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": None, "steps": None}}}}).settle()
    assert world.phase == "Healthy" and "TrafficReturned" not in world.reasons
    world.store.before_write = lambda _: None
    assert_untouched(case, world.settle())
    assert "TrafficReturned" in world.reasons


@pytest.mark.parametrize("code", [400, 403, 422])
def test_a_write_that_is_refused_is_told_on_the_rollout_and_tried_again(case: Case, code: int) -> None:
    world = driven(case)

    def refuse(write: str) -> None:
        if write.startswith("replace") and write.split()[1] in {kind.kind for kind in case.router.kinds}:
            raise Refused(code, "Invalid", "a webhook says no")

    world.store.before_write = refuse
    world.press(pauseConditions=None).settle()
    with pytest.raises(Transient, match="a webhook says no"):
        run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    told = [event["message"] for event in world.store.events if event["reason"] == "TrafficRoutingError"]
    assert told and all(any(f"{ref}: " in message for ref in case.live) and "a webhook says no" in message for message in told)
    world.store.before_write = lambda _: None
    world.settle()
    assert (world.phase, share(case, world)[0]) == ("Healthy", 0)


def test_a_conflict_is_no_question_of_rights(case: Case) -> None:
    """What it was about is read once more; where `get` is not granted the watch brings it, and nobody is told of a missing right."""
    world = driven(case)
    kinds = {kind.kind for kind in case.router.kinds}

    def overtaken(write: str) -> None:
        if write.startswith("replace") and write.split()[1] in kinds:
            raise Conflict(409, "Conflict", "the object has been modified")

    def forbid(resource: Resource) -> None:
        if resource.kind in kinds:
            raise Forbidden(403, "Forbidden", "cannot get")

    for kind in case.router.kinds:
        world.cache.relist(kind, world.store.list(kind), "999")
    world.store.before_write, world.store.before_find = overtaken, forbid
    world.press(pauseConditions=None).settle()
    with pytest.raises(Conflict):
        run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert "TrafficRoutingError" not in world.reasons
    world.store.before_write = lambda _: None
    world.settle()
    assert (world.phase, share(case, world)[0]) == ("Healthy", 0)


def test_stable_takes_back_its_traffic_only_when_it_has_a_pod(case: Case) -> None:
    world = driven(case).breaks("web:1")
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": None}}}}).settle()
    assert share(case, world)[0] == 50
    assert_untouched(case, world.breaks("web:1", ready=True).settle())


def test_an_object_that_somebody_resets_is_put_right_when_its_event_comes(case: Case) -> None:
    world = driven(case)
    ref = case.written
    known = world.store.get(ref.resource, "shop", ref.name) or {}
    bare = case.objects.get(ref) or {**known, "metadata": {key: value for key, value in known["metadata"].items() if key != "annotations"}}
    world.store.put(ref.resource, {**bare, "kind": ref.resource.kind})
    found = world.store.get(ref.resource, "shop", ref.name)
    assert found is not None and Key("rollout", "shop", "web") in list(world.controller.keys_for(ref.resource, found))
    assert share(case, world.settle())[0] == 50


def test_nothing_is_written_over_repeated_passes(case: Case) -> None:
    world = driven(case)
    mark, before = len(world.store.writes), lives(case, world)
    for _ in range(5):
        world.one_pass()
    assert world.since(mark) == [] and lives(case, world) == before


def test_a_stale_view_is_never_written_over_a_newer_object(case: Case) -> None:
    world = driven(case)
    ref = case.written
    stale = world.store.get(ref.resource, "shop", ref.name)
    newer = world.store.put(ref.resource, {**(stale or {}), "metadata": {**(stale or {})["metadata"], "labels": {"new": "er"}}})
    world.cache.relist(ref.resource, [stale or {}], "0")
    world.cache.drop(ref.resource, "shop", ref.name)
    world.cache.put(ref.resource, stale or {})
    world.press(pauseConditions=None)
    world.settle()
    found = world.store.get(ref.resource, "shop", ref.name)
    gone = case.passing and ref in case.made
    assert newer and ((found or {}).get("metadata") or {}).get("labels") == (None if gone else {"new": "er"})
    assert share(case, world)[0] == 0


def test_the_registry_serves_what_the_contract_tests() -> None:
    assert {made().key for made in CASES.values()} == {*ROUTERS, "toy", "plugins.example.com/toy"}


@pytest.mark.parametrize("made", [made for made in CASES.values() if made().key in ROUTERS])
def test_its_configuration_has_the_shape_that_it_says(made: Callable[[], Case]) -> None:
    case = made()

    def told(config: Manifest) -> list[str]:
        return [
            remark.field for remark in misshapen("Rollout", {"spec": {"strategy": {"canary": {"trafficRouting": case.asking(config)}}}})
        ]

    assert told(case.config) == []
    assert told({**case.config, "mistyped": "web"}) == [f"spec.strategy.canary.trafficRouting.{case.key}.mistyped"]


def test_a_destination_rule_of_a_gone_rollout_loses_annotation_and_labels() -> None:
    case = istio(subsets=True)
    world = driven(case)
    rule = world.store.get(DESTINATION_RULES, "shop", "web")
    assert rule is not None and rule["metadata"]["annotations"] == {MANAGED_BY: "web"} and HASH_LABEL in str(rule["spec"])
    world.store.remove(ROLLOUTS, "shop", "web")
    run_through(world.controller.reconcile(Key("rollout", "shop", "web")))
    assert_untouched(case, world)


def test_a_destination_rule_that_a_rollout_names_no_more_loses_annotation_and_labels() -> None:
    case = istio(subsets=True)
    world = driven(case)
    ref = next(ref for ref in case.objects if ref.resource == DESTINATION_RULES)
    world.store.put(DESTINATION_RULES, {**case.objects[ref], "metadata": {"name": "other", "namespace": "shop"}})
    assert HASH_LABEL in str(world.store.get(DESTINATION_RULES, "shop", "web"))
    world.edit({"spec": {"strategy": {"canary": {"trafficRouting": {"istio": {"destinationRule": {"name": "other"}}}}}}}).settle()
    former, latter = (world.store.get(DESTINATION_RULES, "shop", name) for name in ("web", "other"))
    assert former is not None and former["spec"] == case.objects[ref]["spec"] and former["metadata"].get("annotations") in (None, {})
    assert latter is not None and latter["metadata"]["annotations"] == {MANAGED_BY: "web"} and HASH_LABEL in str(latter["spec"])
