"""Which version a Service selects, and when it may move (contract 5.3, 13.37, 13.64)."""

from reconciler.kernel.identity import Manifest
from reconciler.kernel.plan import Emit, Patch, PatchStyle
from reconciler.kernel.well_known import HASH_LABEL, MANAGED_BY
from reconciler.rollouts.passes import Pass
from reconciler.rollouts.traffic.services import point_services, released, rolling_back_dynamically, switch, switch_when_able
from tests.kit.passes import begun, moving, replica_set
from tests.kit.rollouts import canary, rollout, service, weight


def selecting(name: str, hash: str = "", *, ours: bool = True) -> Manifest:
    manifest = service(name)
    if hash:
        manifest["spec"]["selector"][HASH_LABEL] = hash
    if ours:
        manifest["metadata"]["annotations"] = {MANAGED_BY: "web"}
    return manifest


def with_services(*services: Manifest, new: int = 2, available: int | None = None, istio: bool = True, **status: object) -> Pass:
    fields = {} if istio else {"canaryService": "web-canary", "stableService": "web-stable"}
    manifest = rollout(image="image:new", canary=canary(weight(50), istio=istio, **fields))
    named = {m["metadata"]["name"]: m for m in services}
    sets = (replica_set("old", 4, age=10), replica_set("new", new, available))
    return begun(manifest, *sets, status=moving(currentStepIndex=0, **status), services=named)


def test_a_switch_writes_the_selector_and_tells() -> None:
    after = switch(with_services(selecting("web-canary", "old")), "web-canary", "new")
    patch, event = after.effects
    assert isinstance(patch, Patch) and isinstance(event, Emit)
    assert (patch.body, patch.style) == ({"spec": {"selector": {HASH_LABEL: "new"}}}, PatchStyle.STRATEGIC)
    assert event.message == "Switched selector for service 'web-canary' from 'old' to 'new'"
    assert after.selectors["web-canary"] == "new"


def test_what_is_in_force_and_ours_is_not_written() -> None:
    assert switch(with_services(selecting("web-canary", "new")), "web-canary", "new").effects == ()


def test_an_adopted_service_is_marked_in_the_same_patch() -> None:
    (patch,) = switch(with_services(selecting("web-canary", "new", ours=False)), "web-canary", "new").effects
    assert isinstance(patch, Patch) and patch.body["metadata"] == {"annotations": {MANAGED_BY: "web"}}


def test_a_service_not_ours_yet_waits_for_every_pod_and_one_of_ours_for_one() -> None:
    for ours, available, moves in ((False, 1, False), (False, 2, True), (True, 1, True), (True, 0, False)):
        step = with_services(selecting("web-canary", "old", ours=ours), available=available)
        assert bool(switch_when_able(step, "web-canary", step.facts.new).effects) is moves


def test_both_services_follow_their_versions() -> None:
    after = point_services(with_services(selecting("web-canary", "old"), selecting("web-stable", "x")))
    assert after.selectors == {"web-canary": "new", "web-stable": "old"}


def test_an_abort_sends_the_canary_service_home_without_a_router() -> None:
    services = (selecting("web-canary", "new"), selecting("web-stable", "old"))
    assert point_services(with_services(*services, istio=False, abort=True)).selectors["web-canary"] == "old"
    assert point_services(with_services(*services, abort=True)).selectors["web-canary"] == "new"


def test_a_dynamic_way_back_leaves_the_canary_service_alone() -> None:
    manifest = rollout(image="image:old", canary=canary(weight(50), istio=True, dynamicStableScale=True))
    weights = {"canary": {"weight": 50, "podTemplateHash": "new"}, "stable": {"weight": 50, "podTemplateHash": "old"}}
    status = {"stableRS": "old", "currentPodHash": "old", "canary": {"weights": weights}}
    services = {"web-canary": selecting("web-canary", "new")}
    small = begun(manifest, replica_set("old", 2, age=10), replica_set("new", 2), status=status, services=services)
    whole = begun(manifest, replica_set("old", 4, age=10), replica_set("new", 2), status=status, services=services)
    fixed = rollout(image="image:old", canary=canary(weight(50), istio=True))
    without = begun(fixed, replica_set("old", 2, age=10), replica_set("new", 2), status=status, services=services)
    ahead = begun(manifest, replica_set("old", 2, age=10), replica_set("new", 2), status={**status, "currentPodHash": "new"})
    assert rolling_back_dynamically(small) and not rolling_back_dynamically(whole)
    assert not rolling_back_dynamically(without) and not rolling_back_dynamically(ahead)
    assert point_services(small).effects == () and point_services(whole).selectors["web-canary"] == "old"


def test_a_service_nobody_names_is_given_back_and_a_strangers_is_not_touched() -> None:
    assert released(selecting("a", "h"), "web", wanted=True) is None
    assert released(selecting("a", "h", ours=False), None, wanted=False) is None
    body = released(selecting("a", "h"), "web", wanted=False)
    assert body == {"metadata": {"annotations": {MANAGED_BY: None}}, "spec": {"selector": {HASH_LABEL: None}}}
