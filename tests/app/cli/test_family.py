"""A rollout with everything it owns, and its releases."""

from collections.abc import AsyncIterator

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import Answer, Call

from reconciler.app.cli.cluster import ClusterPlace
from reconciler.app.cli.family import asked_identity, family_of, problems_of, releases_of, rollout_of
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, uid_of
from reconciler.kernel.resources import CONFIGMAPS, EXPERIMENTS, REPLICA_SETS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.sources.inventory import Inventory, render_inventory
from tests.kit.clusters import CUSTOM_RESOURCES, NAMESPACE, api
from tests.kit.releases import release
from tests.kit.stocked import fill, rejected, replica_set, store
from tests.kit.transport import InProcess

HERE = ClusterPlace(namespace=NAMESPACE)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with api() as cluster:
        await fill(cluster.client)
        yield cluster.client


async def test_only_what_the_rollout_controls_belongs_to_it(client: Client) -> None:
    await client.create(REPLICA_SETS, replica_set({"metadata": {"uid": "somebody-else"}}, 7, "stranger"))
    family = await family_of(client, HERE, "web")
    assert sorted(name_of(rs) for rs in family.replica_sets) == ["web-new", "web-old"]
    assert (list(family.pods), list(family.runs)) == ([], [])


async def test_what_its_experiments_made_belongs_to_it(client: Client) -> None:
    rollout = await client.get(ROLLOUTS, NAMESPACE, "web")
    trials = [await client.create(EXPERIMENTS, experiment(name, owner)) for name, owner in (("mine", uid_of(rollout)), ("other", "u"))]
    for trial in trials:
        await client.create(REPLICA_SETS, replica_set(trial, 2, f"{name_of(trial)}-set"))
    family = await family_of(client, HERE, "web")
    assert [name_of(trial) for trial in family.experiments] == ["mine"]
    assert [name_of(made) for made in family.tried] == ["web-mine-set"]
    assert sorted(name_of(rs) for rs in family.replica_sets) == ["web-new", "web-old"]


def experiment(name: str, owner: str) -> Manifest:
    reference = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": owner, "controller": True}
    metadata = {"name": name, "namespace": NAMESPACE, "ownerReferences": [reference]}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": metadata, "spec": {}}


async def test_without_a_look_at_experiments_the_rest_is_shown(client: Client) -> None:
    async def forbidden(call: Call) -> Answer | None:
        return Answer(403) if call.path.endswith("/experiments") else None

    async with api() as cluster:
        await fill(cluster.client)
        cluster.server.faults = forbidden
        family = await family_of(cluster.client, HERE, "web")
    assert list(family.experiments) == [] and len(family.replica_sets) == 2


async def test_its_namespace_is_read_where_a_person_may(client: Client) -> None:
    namespace = (await family_of(client, HERE, "web")).namespace
    assert namespace is not None and name_of(namespace) == NAMESPACE

    async def forbidden(call: Call) -> Answer | None:
        return Answer(403) if call.path.endswith(f"/namespaces/{NAMESPACE}") else None

    async with api() as cluster:
        await fill(cluster.client)
        cluster.server.faults = forbidden
        assert (await family_of(cluster.client, HERE, "web")).namespace is None


async def test_a_rollout_that_is_not_there_says_where_to_look(client: Client) -> None:
    with pytest.raises(Terminal, match="no Rollout shop/gone: list them with: reconciler list rollouts -n shop"):
        await rollout_of(client, HERE, "gone")


async def test_releases_are_those_of_the_workload_oldest_first(client: Client) -> None:
    await store(client, release("web-second", number=2))
    await store(client, rejected())
    assert [found.name for found in await releases_of(client, NAMESPACE, "web")] == ["web-bad", "web-second"]
    assert await releases_of(client, NAMESPACE, "other") == []


async def test_what_git_asks_for_is_read_from_the_inventory_else_from_the_newest_release(client: Client) -> None:
    rollout = await rollout_of(client, HERE, "web")
    await store(client, release("web-first", number=1, identity="old"))
    await store(client, release("web-second", number=2, identity="newest"))
    assert await asked_identity(client, rollout) == ""
    followed = {**rollout, "metadata": {**rollout["metadata"], "annotations": {"reconciler.dev/source": "shop"}}}
    assert await asked_identity(client, followed) == "newest"
    await client.create(CONFIGMAPS, render_inventory("shop", "reconciler", Inventory(workloads={"Rollout/shop/web": "asked"})))
    assert await asked_identity(client, followed) == "asked"


async def test_problems_are_those_of_the_source_or_of_whatever_names_what_is_not_there(client: Client) -> None:
    rollout = await rollout_of(client, HERE, "web")
    followed = {**rollout, "metadata": {**rollout["metadata"], "annotations": {"reconciler.dev/source": "shop"}}}
    told = ("a.yaml:1: not YAML", "s.yaml:1: Deployment shop/search is not adopted", "x.yaml:1: Deployment shop/search-api is odd")
    await client.create(CONFIGMAPS, render_inventory("shop", "reconciler", Inventory(problems=told)))
    await client.create(CONFIGMAPS, render_inventory("other", "reconciler", Inventory(problems=("cannot be read: x",))))
    assert await problems_of(client, "web", rollout) == ()
    assert await problems_of(client, "web", followed) == tuple(f"source shop: {problem}" for problem in told)
    assert await problems_of(client, "search", None) == (f"source shop: {told[1]}",)
    assert await problems_of(client, "nobody", None) == ()


async def test_without_our_kinds_there_are_no_releases() -> None:
    server = ApiServer()
    client = Client(InProcess(server), Fence())
    assert await client.list(CUSTOM_RESOURCES) == []
    assert await releases_of(client, NAMESPACE, "web") == []
    await server.stop()
