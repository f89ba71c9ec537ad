"""Plans are carried out in order, and the next pass sees what was written."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from reconciler.app.indexes import INDEXES
from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Create, Evict, Patch, Plan, Remove, Replace
from reconciler.kernel.resources import CONFIGMAPS, PODS, ROLLOUTS, SECRETS
from reconciler.kube.cache import Cache
from reconciler.kube.errors import Conflict
from reconciler.runtime.apply import Apply
from reconciler.runtime.recorder import Recorder
from tests.kit.clusters import NAMESPACE, Api, api, config_map
from tests.kit.world import JumpingClock

WEB = ObjectRef(CONFIGMAPS, NAMESPACE, "web")


@dataclass(frozen=True)
class Stage:
    api: Api
    cache: Cache
    apply: Apply

    def cached(self, name: str = "web") -> Manifest:
        found = self.cache.get(CONFIGMAPS, NAMESPACE, name)
        assert found is not None
        return found


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with api() as found:
        cache = Cache((CONFIGMAPS, ROLLOUTS), INDEXES)
        yield Stage(found, cache, Apply(found.client, cache, Recorder(found.client, JumpingClock())))


async def test_what_was_written_is_read_from_the_cache_at_once(stage: Stage) -> None:
    await stage.apply(Plan((Create(CONFIGMAPS, config_map("web", {"a": "1"})),)))
    assert stage.cached()["data"] == {"a": "1"}
    await stage.apply(Plan((Patch(WEB, {"data": {"a": "2"}}),)))
    assert stage.cached()["data"] == {"a": "2"}
    await stage.apply(Plan((Replace(CONFIGMAPS, {**stage.cached(), "data": {"a": "3"}}),)))
    assert stage.cached()["data"] == {"a": "3"}


async def test_a_late_event_does_not_take_back_what_was_written(stage: Stage) -> None:
    await stage.apply(Plan((Create(CONFIGMAPS, config_map("web", {"a": "1"})),)))
    late = stage.cached()
    await stage.apply(Plan((Patch(WEB, {"data": {"a": "2"}}),)))
    stage.cache.put(CONFIGMAPS, late)
    assert stage.cached()["data"] == {"a": "2"}


async def test_a_name_that_is_taken_means_looking_again_with_what_is_there(stage: Stage) -> None:
    await stage.api.client.create(CONFIGMAPS, config_map("web", {"by": "somebody"}))
    with pytest.raises(Transient, match="already exists"):
        await stage.apply(Plan((Create(CONFIGMAPS, config_map("web")),)))
    assert stage.cached()["data"] == {"by": "somebody"}


async def test_actions_come_in_order_and_the_status_last(stage: Stage) -> None:
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web", "namespace": NAMESPACE}, "spec": {}}
    status = Patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"status": {"phase": "Healthy"}}, subresource="status")
    await stage.apply(Plan((Create(ROLLOUTS, rollout), Create(CONFIGMAPS, config_map("web")), Remove(WEB)), status))
    assert [write.rsplit("/", 1)[-1] for write in stage.api.writes()] == ["rollouts", "configmaps", "web", "status"]


async def test_the_first_failure_ends_the_plan(stage: Stage) -> None:
    stale = await stage.api.client.create(CONFIGMAPS, config_map("web"))
    await stage.api.client.patch(WEB, {"data": {"a": "1"}})
    with pytest.raises(Conflict):
        await stage.apply(Plan((Replace(CONFIGMAPS, stale), Remove(WEB))))
    assert await stage.api.client.find(CONFIGMAPS, NAMESPACE, "web") is not None


async def test_removing_and_evicting_what_is_gone_is_success(stage: Stage) -> None:
    await stage.apply(Plan((Remove(WEB, uid="u"), Evict(ObjectRef(PODS, NAMESPACE, "p")))))


async def test_what_nobody_watches_is_written_all_the_same(stage: Stage) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": NAMESPACE}}
    await stage.apply(Plan((Create(SECRETS, secret),)))
    assert await stage.api.client.find(SECRETS, NAMESPACE, "s") is not None
