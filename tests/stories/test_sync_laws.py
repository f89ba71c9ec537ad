"""What a push may never do, whatever else it does: laws of the sync, with the whole daemon in process (ADR 0012, 0017, 0018, 0019)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.killing import Life, alive
from tests.kit.manifests import deployment
from tests.kit.shop import (
    ANALYSIS,
    ANALYSIS_FILE,
    BAD,
    FOLDER,
    HASH,
    IMAGE,
    NETWORK,
    NETWORK_FILE,
    RELEASES,
    ROLLOUT_FILE,
    ROLLOUTS,
    STEPS,
    VIRTUAL_SERVICES,
    Shop,
    images,
    rollout,
    shop,
)
from tests.kit.wait import until
from tests.kit.watching import watching

DEADLINE = 60.0
PODS, SERVICES = "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/shop/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
REPLICA_SETS = "/apis/apps/v1/namespaces/shop/replicasets"
PAUSED = "        - setWeight: 30\n        - pause: {}\n"
EUR, USD = b"value: EUR", b"value: USD"
SEARCH_FILE, POLICY_FILE = f"{FOLDER}/search.yaml", f"{FOLDER}/policy.yaml"
POLICY = """\
apiVersion: reconciler.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: search, namespace: shop}
spec:
  workloads: [{kind: Deployment, name: search}]
  rollout:
    strategy:
      canary:
        maxSurge: 1
        maxUnavailable: 0
        steps:
          - setWeight: 50
          - pause: {}
"""


def search(image: str) -> str:
    return deployment("search", image, pod="      terminationGracePeriodSeconds: 0\n")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Shop]:
    async with shop(tmp_path) as found:
        yield found


async def at_rest(place: Shop, life: Life, version: str = "1") -> None:
    """Wait until a version is proven and serves alone."""

    async def reached() -> bool:
        life.raise_failure()
        return await place.settled_at(version) and life.engine.queue.idle

    await until(reached, DEADLINE)


async def looked_at(place: Shop, commit: str) -> None:
    """Wait until the source has gone through a commit: its inventory is written last."""

    async def reached() -> bool:
        return (await place.inventory()).get("commit") == commit

    await until(reached, DEADLINE)


async def test_an_unrelated_push_at_weight_30_shows_no_other_weight_or_selector_to_any_watcher(tmp_path: Path) -> None:
    async with shop(tmp_path, PAUSED) as place, alive(place.ground) as life:
        await at_rest(place, life)
        await place.push("2")

        async def at_30() -> bool:
            return await place.phase() == "Paused" and await place.weights() == (70, 30) and life.engine.queue.idle

        await until(at_30, DEADLINE)
        selectors = {s["metadata"]["name"]: s["spec"]["selector"] for s in await place.api.list(SERVICES)}
        assert selectors["web"][HASH] != selectors["web-canary"][HASH]
        async with watching(place.api, SERVICES, VIRTUAL_SERVICES) as shown:
            unrelated = NETWORK.replace("hosts: [web]", "hosts: [web, web.example.com]").replace(
                "namespace: shop}", "namespace: shop, labels: {team: a}}"
            )
            changed = rollout("2", PAUSED).replace(b"  replicas: 2\n", b"  replicas: 2\n  revisionHistoryLimit: 5\n")
            await place.write({NETWORK_FILE: unrelated.encode(), ROLLOUT_FILE: changed}, "Nothing that a release is about")

            async def arrived() -> bool:
                labelled = [manifest for manifest in shown if (manifest["metadata"].get("labels") or {}).get("team") == "a"]
                limit = (await place.rollout())["spec"].get("revisionHistoryLimit")
                return len({m["metadata"]["name"] + m["kind"] for m in labelled}) == 3 and limit == 5 and life.engine.queue.idle

            await until(arrived, DEADLINE)
        for manifest in shown:
            if manifest["kind"] == "Service":
                assert manifest["spec"]["selector"] == selectors[manifest["metadata"]["name"]]
                continue
            assert [route["weight"] for route in manifest["spec"]["http"][0]["route"]] == [70, 30]
        assert await at_30()


async def test_policy_and_bad_image_in_one_commit_never_lets_an_unjudged_pod_serve(place: Shop) -> None:
    old, bad = f"{IMAGE}:1", f"{IMAGE}:{BAD}"
    async with alive(place.ground) as life:
        await at_rest(place, life)
        looked = await place.write({SEARCH_FILE: search(old).encode()}, "A plain Deployment")
        await looked_at(place, looked)

        async def serves() -> bool:
            found = await place.api.get(f"{DEPLOYMENTS}/search") or {}
            return (found.get("status") or {}).get("availableReplicas") == 2

        await until(serves, DEADLINE)
        async with watching(place.api, REPLICA_SETS, f"{ROLLOUTS}") as shown:
            both = {POLICY_FILE: POLICY.encode(), SEARCH_FILE: search(bad).encode()}
            await place.write(both, "A policy and a bad image")

            async def being_judged() -> bool:
                life.raise_failure()
                found = await place.api.get(f"{ROLLOUTS}/search") or {}
                judged = [r for r in await place.releases(BAD) if "previous" in r["spec"]]
                return bool(judged) and (found.get("status") or {}).get("phase") == "Paused"

            await until(being_judged, DEADLINE)
        served = [m for m in shown if m["kind"] == "ReplicaSet" and images(m) == [bad] and m["spec"]["replicas"]]
        assert served, "the bad version was never tried"
        assert {owner["kind"] for m in served for owner in m["metadata"]["ownerReferences"]} == {"Rollout"}
        assert max(m["spec"]["replicas"] for m in served) == 1
        stable = [m for m in await place.api.list(REPLICA_SETS) if m["metadata"]["name"].startswith("search") and m["spec"]["replicas"]]
        assert {owner["kind"] for m in stable for owner in m["metadata"]["ownerReferences"]} == {"Rollout"}
        assert sum(m["spec"]["replicas"] for m in stable if images(m) == [old]) >= 1


async def test_what_runs_is_the_baseline_even_if_git_asks_for_more_at_the_first_look(place: Shop) -> None:
    async with alive(place.ground) as life:
        await at_rest(place, life)
    for name in await place.release_names():
        await place.api.delete(f"{RELEASES}/{name}")
    await place.push(BAD)
    async with alive(place.ground) as life:

        async def home() -> bool:
            life.raise_failure()
            return (await place.release(BAD)).get("verdict") == "failed" and await place.phase() == "Healthy" and await place.image() == "1"

        await until(home, DEADLINE)
        assert await place.asked() == rollout("1")
        (first,) = await place.releases("1")
        assert "previous" not in first["spec"] and first["spec"]["cause"] == "found running"


async def test_image_and_env_changed_together_are_restored_together(place: Shop) -> None:
    async with alive(place.ground) as life:
        await at_rest(place, life)
        await place.push(BAD, rollout(BAD).replace(EUR, USD))

        async def restored() -> bool:
            life.raise_failure()
            return await place.asked() == rollout("1") and await place.phase() == "Healthy"

        await until(restored, DEADLINE)
        assert await place.restores() == 1
        template = (await place.rollout())["spec"]["template"]["spec"]["containers"][0]
        assert (template["image"], template["env"][0]["value"]) == (f"{IMAGE}:1", "EUR")


async def test_image_and_env_changed_together_are_proposed_together(place: Shop) -> None:
    policy = (
        "apiVersion: reconciler.dev/v1alpha1\nkind: ReleasePolicy\nmetadata: {name: web, namespace: shop}\nspec: {onFailure: propose}\n"
    )
    await place.write({POLICY_FILE: policy.encode()}, "Ask before you restore")
    bad = rollout(BAD).replace(EUR, USD)
    async with alive(place.ground) as life:
        await at_rest(place, life)
        await place.push(BAD, bad)

        async def proposed() -> bool:
            life.raise_failure()
            return ((await place.release(BAD)).get("restore") or {}).get("state") == "proposed"

        await until(proposed, DEADLINE)
        (pull,) = [pull for pull in place.host.pulls("shop/manifests") if pull.head.startswith("reconciler/")]
        assert await place.host.read("shop/manifests", ROLLOUT_FILE, pull.head_sha) == rollout("1")
        assert await place.asked() == bad


async def test_emptied_folder_prunes_nothing(place: Shop) -> None:
    async with alive(place.ground) as life:
        await at_rest(place, life)
        before = {path: await place.api.list(path) for path in (ROLLOUTS, SERVICES, VIRTUAL_SERVICES, PODS)}
        gone = {ROLLOUT_FILE: None, NETWORK_FILE: None, ANALYSIS_FILE: None, "README.md": b"moved elsewhere\n"}
        beside = {f"{FOLDER}/notes.txt": b"no manifest is left here\n"}
        for files, words in ((gone, "nothing is applied or pruned"), (beside, "none of its")):
            await place.write(files, "Empty the folder")

            async def told(words: str = words) -> bool:
                return words in (await place.inventory()).get("problems", "")

            await until(told, DEADLINE)
        for path, objects in before.items():
            assert {m["metadata"]["uid"] for m in await place.api.list(path)} == {m["metadata"]["uid"] for m in objects}
        again = {ROLLOUT_FILE: rollout("2", STEPS), NETWORK_FILE: NETWORK.encode(), ANALYSIS_FILE: ANALYSIS.encode()}
        await place.write(again, "Fill it again, with a new version")
        await at_rest(place, life, "2")
