"""One source, from a real repository into a real API: never less than Git, never more than allowed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.server import no_faults
from reconciler_sandbox.client import Answer, Call

from reconciler.git.errors import BranchGone
from reconciler.kernel.identity import Key, ObjectRef, annotations_of
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, RELEASE_POLICIES, RELEASES, ROLLOUTS, VIRTUAL_SERVICES
from reconciler.sources.settings import PruneLimit
from reconciler.sync.controller import LONGEST_REST
from tests.kit.clusters import NAMESPACE, config_map
from tests.kit.desk import SETTINGS, Desk, config, desk, image_of, life, policy, rollout

FORGED = """\
apiVersion: reconciler.dev/v1alpha1
kind: Release
metadata: {name: forged, namespace: shop}
spec: {workload: {kind: Rollout, name: web}}
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: mine}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
"""


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def test_what_git_holds_is_applied_and_marked(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "web.yaml": rollout()})
    await shop.look()
    applied = await shop.found(CONFIGMAPS, "a")
    assert applied["data"] == {"a": "1"}
    assert annotations_of(applied)["reconciler.dev/source"] == "shop"
    inventory = await shop.inventory()
    assert sorted(entry.place[3] for entry in inventory.entries) == ["a", "web"]
    assert inventory.workloads.keys() == {"Rollout/shop/web"}
    assert inventory.problems == ()


async def test_a_look_without_news_writes_nothing(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "web.yaml": rollout()})
    await shop.look()
    await shop.look()
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == []


async def test_a_problem_is_told_once_however_often_it_is_looked_at(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "b.yaml": BINDING, "c.yaml": "kind: ["})
    await shop.look()
    await shop.look()
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == []
    assert (await shop.events()).count("SourceProblem") == 2


async def test_what_leaves_git_is_removed(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
    await shop.look()
    shop.push({"a.yaml": None})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is None
    assert await shop.live(CONFIGMAPS, "b") is not None
    assert len((await shop.inventory()).entries) == 7


async def test_an_emptied_folder_removes_nothing(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "b.yaml": config("b")})
    await shop.look()
    shop.push({"a.yaml": None, "b.yaml": None, "README.md": "moved"})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None
    assert "none of its 2 objects is removed" in await shop.problems()


async def test_many_removals_at_once_wait_for_a_person(tmp_path: Path) -> None:
    async with desk(tmp_path, prune_limit=PruneLimit(percent=50, objects=10)) as shop:
        shop.push({f"{name}.yaml": config(name) for name in "abcd"})
        await shop.look()
        shop.push({"a.yaml": None, "b.yaml": None, "c.yaml": None})
        await shop.look()
        assert await shop.live(CONFIGMAPS, "a") is not None
        assert "more than pruneLimit" in await shop.problems()


async def test_without_prune_nothing_is_removed(tmp_path: Path) -> None:
    async with desk(tmp_path, prune=False) as shop:
        shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
        await shop.look()
        shop.push({"a.yaml": None})
        await shop.look()
        assert await shop.live(CONFIGMAPS, "a") is not None


async def test_a_malformed_file_costs_only_itself_and_nothing_is_removed(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
    await shop.look()
    shop.push({"a.yaml": "kind: [", "b.yaml": None, "c.yaml": config("c", "2")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "c"))["data"] == {"a": "2"}
    assert await shop.live(CONFIGMAPS, "a") is not None and await shop.live(CONFIGMAPS, "b") is not None
    assert "a.yaml:" in await shop.problems()
    assert "SourceProblem" in await shop.events()
    shop.push({"a.yaml": config("a")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "b") is None
    assert await shop.problems() == ""


async def test_what_a_source_may_not_write_is_refused_and_the_rest_is_applied(shop: Desk) -> None:
    shop.push({"a.yaml": config("a"), "b.yaml": BINDING, "f.yaml": FORGED, "o.yaml": config("o", namespace="kube-system")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None
    assert await shop.live(RELEASES, "forged") is None
    problems = await shop.problems()
    for words in ("kind ClusterRoleBinding.rbac", "kind Release.reconciler.dev is not in", "namespace kube-system is not in"):
        assert words in problems


async def test_a_rollout_that_may_not_be_written_is_no_release(tmp_path: Path) -> None:
    async with desk(tmp_path, allow=replace(SETTINGS.allow, kinds=("ConfigMap",))) as shop:
        shop.push({"web.yaml": rollout(), "a.yaml": config("a")})
        await shop.look()
        assert await shop.releases() == []
        assert await shop.live(CONFIGMAPS, "a") is not None


async def test_an_object_that_argo_cd_applies_is_left_alone(shop: Desk) -> None:
    tracked = config_map("a", {"a": "theirs"}, annotations={"argocd.argoproj.io/tracking-id": "app:/ConfigMap:shop/a"})
    await shop.api.client.create(CONFIGMAPS, tracked)
    shop.push({"a.yaml": config("a", "ours"), "b.yaml": config("b")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "theirs"}
    assert "is applied by Argo CD already" in await shop.problems()
    assert [entry.place[3] for entry in (await shop.inventory()).entries] == ["b"]


async def test_an_object_of_another_source_is_left_alone(shop: Desk) -> None:
    await shop.api.client.create(CONFIGMAPS, config_map("a", annotations={"reconciler.dev/source": "other"}))
    shop.push({"a.yaml": config("a")})
    await shop.look()
    assert "belongs to source other already" in await shop.problems()


async def test_a_suspended_object_or_namespace_is_left_alone(shop: Desk) -> None:
    await shop.api.client.create(CONFIGMAPS, config_map("a", {"a": "mine"}, annotations={"reconciler.dev/suspend": "true"}))
    shop.push({"a.yaml": config("a", "git"), "b.yaml": config("b", "1")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "mine"}
    await shop.api.client.patch(ObjectRef(NAMESPACES, "", NAMESPACE), {"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}})
    shop.push({"b.yaml": config("b", "2"), "c.yaml": config("c")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "b"))["data"] == {"a": "1"}
    assert await shop.live(CONFIGMAPS, "c") is None


async def test_two_files_that_claim_one_object_are_named_and_neither_is_written(shop: Desk) -> None:
    shop.push({"a.yaml": config("a", "1"), "b.yaml": config("a", "2"), "c.yaml": config("c")})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is None
    assert await shop.live(CONFIGMAPS, "c") is not None
    problems = await shop.problems()
    assert "b.yaml" in problems and "a.yaml" in problems and "keep one of the two" in problems


async def test_two_files_that_claim_one_rollout_open_no_release(shop: Desk) -> None:
    shop.push({"a.yaml": rollout(), "b.yaml": rollout("registry.example.com/web:2")})
    await shop.look()
    assert await shop.releases() == []


async def test_a_manifest_without_the_shape_of_its_kind_costs_only_itself(shop: Desk) -> None:
    shop.push({"web.yaml": rollout(), "a.yaml": config("a")})
    await shop.look()
    broken = f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: odd, namespace: {NAMESPACE}}}\nspec: text\n"
    shop.push({"odd.yaml": broken, "a.yaml": config("a", "2")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "2"}
    assert "odd.yaml" in await shop.problems()


async def test_another_api_version_of_an_object_is_no_removal(shop: Desk) -> None:
    def routes(version: str) -> str:
        metadata = f"metadata: {{name: web, namespace: {NAMESPACE}}}"
        return f"apiVersion: networking.istio.io/{version}\nkind: VirtualService\n{metadata}\nspec: {{hosts: [web]}}\n"

    shop.push({"v.yaml": routes("v1beta1"), "a.yaml": config("a")})
    await shop.look()
    before = await shop.found(VIRTUAL_SERVICES, "web")
    shop.push({"v.yaml": routes("v1")})
    await shop.look()
    await shop.look()
    assert (await shop.found(VIRTUAL_SERVICES, "web"))["metadata"]["uid"] == before["metadata"]["uid"]
    assert ("networking.istio.io/v1", "VirtualService", NAMESPACE, "web") in [e.place for e in (await shop.inventory()).entries]


async def test_a_reporting_source_writes_nothing_but_its_report(tmp_path: Path) -> None:
    async with desk(tmp_path, apply=False) as shop:
        shop.push({"web.yaml": rollout(), "a.yaml": config("a"), "b.yaml": "kind: ["})
        await shop.look()
        assert await shop.live(ROLLOUTS, "web") is None and await shop.live(CONFIGMAPS, "a") is None
        assert await shop.releases() == []
        assert "2 objects at" in await shop.problems() and "set apply: true to do it" in await shop.problems()
        written = {write for write in shop.api.writes() if "/events" not in write}
        assert written == {"POST /api/v1/namespaces/reconciler/configmaps"}


async def test_policies_that_contradict_each_other_cost_judgement_and_not_delivery(shop: Desk) -> None:
    shop.push({"one.yaml": policy("one"), "two.yaml": policy("two")})
    await shop.look()
    for name in ("one", "two"):
        await shop.follow_policy(name)
    shop.push({"web.yaml": rollout()})
    await shop.look()
    assert await shop.live(ROLLOUTS, "web") is not None
    assert await shop.releases() == []
    assert "one and two both claim Rollout shop/web" in await shop.problems()


async def test_a_branch_that_is_gone_removes_nothing(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    shop.origin.remove("main")
    with pytest.raises(BranchGone):
        await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None


async def test_a_source_that_cannot_be_read_says_so_on_its_record_until_it_can(shop: Desk) -> None:
    shop.push({"a.yaml": config("a")})
    await shop.look()
    before = await shop.inventory()
    head = shop.origin.head() or ""
    shop.origin.remove("main")
    with pytest.raises(BranchGone):
        await shop.look()
    assert "cannot be read" in await shop.problems() and "has no branch 'main'" in await shop.problems()
    assert (await shop.inventory()).entries == before.entries
    assert "SourceProblem" in await shop.events()
    shop.origin.restore("main", head)
    await shop.look()
    assert await shop.inventory() == before


async def test_rewritten_history_removes_nothing_in_its_first_look(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
    await shop.look()
    shop.origin.rewrite({f"{name}.yaml": config(name) for name in "abcdefg"})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "h") is not None


async def test_a_new_life_opens_no_second_release_and_writes_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as shop:
        shop.push({"web.yaml": rollout()})
        await shop.proven()
        shop.push({"web.yaml": rollout("registry.example.com/web:1.1")})
        await shop.look()
        names = [r["metadata"]["name"] for r in await shop.releases()]
        assert len(names) == 2
        async with life(shop.api, shop.origin, tmp_path) as second:
            shop.api.transport.calls.clear()
            await second.look()
            assert [r["metadata"]["name"] for r in await second.releases()] == names
            assert shop.api.writes() == []
            assert image_of(await second.found(ROLLOUTS, "web")).endswith(":1.1")


async def test_a_source_that_is_not_followed_has_no_pass(shop: Desk) -> None:
    assert await shop.source.reconcile(Key("source", "", "unknown")) is None


async def test_a_release_or_a_policy_asks_its_sources_to_look_again(shop: Desk) -> None:
    release = {"kind": "Release", "metadata": {"name": "r", "labels": {"reconciler.dev/source": "shop"}}}
    assert list(shop.source.keys_for(RELEASES, release)) == [Key("source", "", "shop")]
    assert list(shop.source.keys_for(RELEASES, {"metadata": {"labels": {"reconciler.dev/source": "gone"}}})) == []
    assert list(shop.source.keys_for(RELEASE_POLICIES, {"metadata": {}})) == [Key("source", "", "shop")]
    assert list(shop.source.keys_for(ROLLOUTS, {"metadata": {}})) == []


async def test_after_a_long_pass_only_news_are_followed_at_once(shop: Desk) -> None:
    async def slowly(_: Call) -> Answer | None:
        shop.clock.time += timedelta(seconds=1)
        return None

    shop.push({"a.yaml": config("a")})
    shop.api.server.faults = slowly
    await shop.look()
    shop.api.server.faults = no_faults
    key = Key("source", "", "shop")
    shop.api.transport.calls.clear()
    rested = shop.clock.time + timedelta(seconds=LONGEST_REST)
    assert await shop.source.reconcile(key) == rested
    assert shop.api.transport.calls == []
    shop.push({"a.yaml": config("a", "2")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "2"}
    shop.clock.time += timedelta(seconds=LONGEST_REST)
    shop.api.transport.calls.clear()
    await shop.source.reconcile(key)
    assert shop.api.transport.calls, "rested, it passes without news"


async def test_an_autoscaler_of_the_same_push_already_owns_the_replicas(tmp_path: Path) -> None:
    scaler = (
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shop}\n"
        "spec:\n  maxReplicas: 9\n  scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web}\n"
    )
    allow = replace(SETTINGS.allow, kinds=(*SETTINGS.allow.kinds, "HorizontalPodAutoscaler.autoscaling"))
    async with desk(tmp_path, allow=allow) as shop:
        shop.push({"a.yaml": config("a"), "web.yaml": rollout()})
        await shop.look()
        await shop.api.client.patch(ObjectRef(ROLLOUTS, NAMESPACE, "web"), {"spec": {"replicas": 5}})
        shop.push({"a.yaml": config("a", "2"), "scaler.yaml": scaler, "web.yaml": rollout(spec="  minReadySeconds: 3\n")})
        await shop.look()
        live = await shop.found(ROLLOUTS, "web")
        assert (live["spec"]["minReadySeconds"], live["spec"]["replicas"]) == (3, 5)
