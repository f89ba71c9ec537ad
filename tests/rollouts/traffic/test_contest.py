"""Another writer that puts its own routes back is counted, named and not fought for ever."""

from datetime import UTC, datetime, timedelta

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import SERVICES, VIRTUAL_SERVICES
from reconciler.rollouts.traffic.contest import LONGEST_WAIT, PATIENCE, Contest, counted, is_contested, words
from tests.kit.rollouts import canary, pause, rollout, service, virtual_service, weight
from tests.kit.world import World, deployed

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ONE, OTHER = virtual_service(), {**virtual_service(), "spec": {"http": []}}


def after(times: int, *, every: float = 1) -> Contest:
    contest: Contest | None = None
    for number in range(times):
        contest = counted(contest, ONE, NOW + timedelta(seconds=every * number))
    assert contest is not None
    return contest


def test_only_the_same_content_in_a_row_counts() -> None:
    assert after(3).writes == 3
    assert counted(after(3), OTHER, NOW).writes == 1
    assert counted(after(3), ONE, NOW + timedelta(hours=2)).writes == 1
    assert not is_contested(after(5), OTHER, NOW)


def test_one_edit_is_put_right_without_a_word_and_then_the_waits_grow_to_a_bound() -> None:
    assert not is_contested(after(1), ONE, NOW) and is_contested(after(PATIENCE), ONE, NOW)
    waits = [after(times, every=0).again_at() - NOW for times in range(1, 16)]
    assert waits[:PATIENCE] == [timedelta()] * PATIENCE
    assert waits == sorted(waits) and waits[-1] == LONGEST_WAIT


def test_the_other_writer_is_named_by_its_last_write_together_with_the_rule_it_needs() -> None:
    fields = [{"manager": "kubectl", "time": "2030-01-01T00:00:00Z"}, {"manager": "argocd-controller", "time": "2030-01-02T00:00:00Z"}]
    live = {**ONE, "metadata": {**ONE["metadata"], "managedFields": fields}}
    said = words(ObjectRef(VIRTUAL_SERVICES, "shop", "web"), live, after(3), (".spec.http[].route[].weight",))
    assert said.startswith("VirtualService shop/web: argocd-controller puts its own routes back (written 3 times")
    assert "jqPathExpressions .spec.http[].route[].weight" in said and "RespectIgnoreDifferences=true" in said
    assert "another writer" in words(ObjectRef(VIRTUAL_SERVICES, "shop", "web"), ONE, after(3), ())


class Fighting:
    """A release at weight 50 beside a writer that resets the routes whenever they change."""

    def __init__(self) -> None:
        objects = [(SERVICES, service(name)) for name in ("web-canary", "web-stable")]
        spec = rollout(canary=canary(weight(50), pause(), istio=True))
        self.world: World = deployed(spec, *objects, (VIRTUAL_SERVICES, virtual_service())).push("web:2").settle()

    def fight(self, seconds: int) -> int:
        """How often we wrote."""
        mark = len(self.world.store.writes)
        for _ in range(seconds):
            self.world.store.put(VIRTUAL_SERVICES, virtual_service())
            self.world.one_pass()
            self.world.clock.time += timedelta(seconds=1)
        return len([write for write in self.world.since(mark) if "VirtualService" in write])


def test_a_self_healing_applier_is_not_fought_for_ever_and_is_told_of() -> None:
    fighting = Fighting()
    first, later = fighting.fight(60), fighting.fight(600)
    assert 2 <= first <= 6 and later <= 8
    assert "TrafficContested" in fighting.world.reasons
    assert fighting.world.settle().weight in (0, 50)
    fighting.world.clock.time += LONGEST_WAIT
    assert fighting.world.settle().weight == 50
