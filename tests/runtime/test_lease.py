"""One leader: taking, waiting, losing and giving back a Lease."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from reconciler_sandbox.client import Answer, Call
from structlog.testing import capture_logs

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, LEASES
from reconciler.kube.fence import Fence, Fenced
from reconciler.runtime.lease import Leadership, LeaseTerms, micro_time, rival_holder
from tests.kit.clusters import Api, api, config_map, running
from tests.kit.wait import until

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


class Time:
    """A monotonic clock that only tests move."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000)


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


@pytest.fixture
def time() -> Time:
    return Time()


def leadership(cluster: Api, time: Time, holder: str, *, duration: float = 15.0, renew_every: float = 0.02) -> Leadership:
    terms = LeaseTerms("reconciler", "leader", holder, duration, renew_every)
    return Leadership(cluster.client, terms, time.now, time.monotonic)


async def lease(cluster: Api) -> Manifest:
    return await cluster.client.get(LEASES, "reconciler", "leader")


async def test_a_free_lease_is_taken_and_renewed(cluster: Api, time: Time) -> None:
    one = leadership(cluster, time, "one")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
        first = await lease(cluster)
        time.seconds += 5

        async def renewed() -> bool:
            return bool((await lease(cluster))["spec"]["renewTime"] != first["spec"]["renewTime"])

        await until(renewed)
        spec = (await lease(cluster))["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"], spec["leaseDurationSeconds"]) == ("one", 0, 15)
    assert spec["acquireTime"] == first["spec"]["acquireTime"]


async def test_a_lease_that_nobody_touched_is_renewed_by_one_write(cluster: Api, time: Time) -> None:
    one = leadership(cluster, time, "one")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
        cluster.transport.calls.clear()
        await until(lambda: len(cluster.transport.calls) >= 3)
        assert {call.method for call in cluster.transport.calls[:3]} == {"PUT"}


@pytest.mark.parametrize("deleted", [False, True], ids=["touched", "deleted"])
async def test_a_lease_that_somebody_touched_or_deleted_is_looked_at_and_kept(cluster: Api, time: Time, deleted: bool) -> None:
    one, place = leadership(cluster, time, "one"), ObjectRef(LEASES, "reconciler", "leader")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
        if deleted:
            await cluster.client.delete(place)
        else:
            await cluster.client.patch(place, {"metadata": {"labels": {"seen": "yes"}}})
        cluster.transport.calls.clear()
        with capture_logs() as logs:
            await until(lambda: any(call.method == "GET" for call in cluster.transport.calls))
            await until(lambda: cluster.transport.calls[-1].method == "PUT")
        assert not logs  # in the same round: no renewal was missed
        assert one.valid and (await lease(cluster))["spec"]["holderIdentity"] == "one"


async def test_the_second_waits_until_the_first_gives_it_back(cluster: Api, time: Time) -> None:
    one, two = leadership(cluster, time, "one"), leadership(cluster, time, "two")
    async with running(one.run()) as tasks:
        await asyncio.wait_for(one.acquired.wait(), 20)
        async with running(two.run()):
            await until(lambda: two.holder == "one")
            assert one.valid and not two.valid
            tasks[0].cancel()
            await one.release()
            await asyncio.wait_for(two.acquired.wait(), 20)
            assert two.valid and not one.valid
    assert (await lease(cluster))["spec"]["leaseTransitions"] == 1


async def test_a_holder_that_is_silent_for_its_whole_duration_loses_it(cluster: Api, time: Time) -> None:
    one, two = leadership(cluster, time, "one"), leadership(cluster, time, "two")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
    async with running(two.run()):
        await until(lambda: two.holder == "one")
        time.seconds += 14
        looked = len(cluster.transport.calls)
        await until(lambda: len(cluster.transport.calls) > looked + 3)
        assert not two.valid
        time.seconds += 2
        await asyncio.wait_for(two.acquired.wait(), 20)
        assert not one.valid


async def test_a_loop_that_stalled_past_its_lease_writes_nothing(cluster: Api, time: Time) -> None:
    one = leadership(cluster, time, "one")
    client = cluster.fenced(Fence(one.gate()))
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
    await client.create(CONFIGMAPS, config_map("in-time"))
    time.seconds += 10
    cluster.transport.calls.clear()
    with pytest.raises(Fenced, match="lease reconciler/leader is not ours"):
        await client.create(CONFIGMAPS, config_map("too-late"))
    assert cluster.transport.calls == []


async def test_before_it_is_acquired_nothing_is_written(cluster: Api, time: Time) -> None:
    time.seconds = -50.0
    with pytest.raises(Fenced):
        await cluster.fenced(Fence(leadership(cluster, time, "one").gate())).create(CONFIGMAPS, config_map("x"))


async def test_whoever_finds_another_name_on_its_lease_stops_at_once(cluster: Api, time: Time) -> None:
    one = leadership(cluster, time, "one")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
        live = await lease(cluster)
        await cluster.client.replace(LEASES, {**live, "spec": {**live["spec"], "holderIdentity": "a-person"}})
        await until(lambda: not one.valid)


async def test_a_server_that_does_not_answer_costs_one_renewal_and_not_the_loop(cluster: Api, time: Time) -> None:
    one = leadership(cluster, time, "one")
    asked = asyncio.Event()

    async def hang(_: Call) -> Answer | None:
        asked.set()
        await asyncio.sleep(3600)
        return None

    cluster.server.faults, before = hang, cluster.server.faults
    async with running(one.run()):
        await asyncio.wait_for(asked.wait(), 20)
        cluster.server.faults = before
        await asyncio.wait_for(one.acquired.wait(), 20)


async def test_a_lease_that_is_not_ours_is_not_given_back(cluster: Api, time: Time) -> None:
    one, two = leadership(cluster, time, "one"), leadership(cluster, time, "two")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
    await two.release()
    assert (await lease(cluster))["spec"]["holderIdentity"] == "one"


async def test_another_controllers_lease_names_its_holder_while_it_is_fresh(cluster: Api, time: Time) -> None:
    assert await rival_holder(cluster.client, "reconciler", "leader", NOW) is None
    one = leadership(cluster, time, "argo-rollouts-1")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)
    assert await rival_holder(cluster.client, "reconciler", "leader", NOW + timedelta(seconds=14)) == "argo-rollouts-1"
    assert await rival_holder(cluster.client, "reconciler", "leader", NOW + timedelta(seconds=16)) is None
    await one.release()
    assert await rival_holder(cluster.client, "reconciler", "leader", NOW) is None


async def test_a_lease_without_a_spec_is_free(cluster: Api, time: Time) -> None:
    metadata = {"name": "leader", "namespace": "reconciler"}
    await cluster.client.create(LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata})
    assert await rival_holder(cluster.client, "reconciler", "leader", NOW) is None
    one = leadership(cluster, time, "one")
    async with running(one.run()):
        await asyncio.wait_for(one.acquired.wait(), 20)


def test_micro_time_has_six_digits_and_a_z() -> None:
    assert micro_time(NOW) == "2026-11-25T03:00:00.000000Z"
