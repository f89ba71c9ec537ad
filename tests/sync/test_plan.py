"""The plan of a source is a function of its facts: the same facts, the same plan; one that was carried out plans nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.identity import ObjectRef, Resource
from reconciler.kernel.resources import CONFIGMAPS, REPLICA_SETS
from reconciler.rollouts.traffic.router import kinds_of
from reconciler.routers.registry import ROUTERS
from reconciler.sources.inventory import CONFIRMED, config_map_name
from reconciler.sync.facts import GateFacts, SourceFacts
from reconciler.sync.plan import SourcePlan, plan, ready
from reconciler.sync.wish import LOOK_AGAIN
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import SETTINGS, Desk, config, desk, rollout
from tests.kit.sourcefacts import applied, entry_of, source_facts

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def facts(files: dict[str, str], entries: int = 0) -> SourceFacts:
    old = tuple(applied(f"old{number}") for number in range(entries))
    return source_facts(files, old, tuple(map(entry_of, old)))


def carried_out(found: SourceFacts, thought: SourcePlan) -> SourceFacts:
    """What is true once everything was done."""
    live = dict(found.live)
    for write in (write for wave in thought.waves for write in wave):
        body = write.patch.body
        assert isinstance(body, dict)
        live[write.place] = {**body, "metadata": {**body["metadata"], "uid": "-".join(write.place), "resourceVersion": "1"}}
    for prune in thought.prunes:
        live.pop(prune.place)
    gone = {*thought.gone, *(prune.place for prune in thought.prunes)}
    entries = tuple(entry for entry in found.inventory.entries if entry.place not in gone)
    return replace(found, live=live, inventory=replace(found.inventory, entries=entries))


names = st.lists(st.sampled_from("abcdefgh"), max_size=8)


@given(names, names, st.integers(0, 4), st.booleans())
def test_a_plan_that_was_carried_out_plans_nothing(desired: list[str], rollouts: list[str], entries: int, broken: bool) -> None:
    files = {f"c{name}": config(name) for name in desired} | {f"r{name}": rollout(name=name) for name in rollouts}
    files |= {"broken": "kind: ["} if broken else {}
    before = facts(files, entries)
    thought = plan(before, NOW)
    assert thought == plan(facts(files, entries), NOW), "the same facts, the same plan"
    after = plan(carried_out(before, thought), NOW)
    assert (after.waves, after.prunes) == ((), ())
    assert not (broken and thought.prunes)
    assert sum(len(wave) for wave in thought.waves) == len(files) - broken


def test_waves_follow_each_other_in_the_order_of_what_needs_what() -> None:
    service = f"apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: {NAMESPACE}}}\nspec: {{ports: [{{port: 80}}]}}\n"
    thought = plan(facts({"a": rollout(), "b": service, "c": config("c")}), NOW)
    assert [[write.place[1] for write in wave] for wave in thought.waves] == [["ConfigMap"], ["Service"], ["Rollout"]]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def confirm(shop: Desk, digest: str) -> None:
    place = ObjectRef(CONFIGMAPS, "reconciler", config_map_name("shop"))
    await shop.api.client.patch(place, {"metadata": {"annotations": {CONFIRMED: digest}}})


async def test_a_confirmed_prune_goes_and_the_confirmation_is_good_for_that_one_only(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
    await shop.look()
    shop.push({f"{name}.yaml": None for name in "abc"})
    await shop.look()
    blocked = (await shop.inventory()).blocked
    assert blocked is not None and blocked.objects == ("ConfigMap shop/a", "ConfigMap shop/b", "ConfigMap shop/c")
    assert "reconciler source confirm shop" in await shop.problems()
    await confirm(shop, blocked.digest)
    shop.push({"d.yaml": None})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None, "a fourth one was not confirmed"
    shop.push({"d.yaml": config("d")})
    await shop.look()
    assert [await shop.live(CONFIGMAPS, name) for name in "abc"] == [None] * 3
    await shop.look()
    assert await shop.problems() == "" and (await shop.inventory()).blocked is None
    stored = await shop.api.client.get(CONFIGMAPS, "reconciler", config_map_name("shop"))
    assert CONFIRMED not in (stored["metadata"].get("annotations") or {})


async def test_files_that_are_no_manifests_are_said_once_and_stop_no_removal(shop: Desk) -> None:
    other = {"renovate.json": "{}", ".gitlab-ci.yml": "build: {script: [make]}\n", "values.yaml": "a: 1\n"}
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"} | other)
    await shop.look()
    shop.push({"a.yaml": None})
    await shop.look()
    inventory = await shop.inventory()
    assert await shop.live(CONFIGMAPS, "a") is None and inventory.problems == ()
    assert [line.partition(":")[0] for line in inventory.ignored] == [".gitlab-ci.yml", "renovate.json", "values.yaml"]


async def test_what_a_folder_of_a_templating_tool_held_stays(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefg"} | {"k/h.yaml": config("h")})
    await shop.look()
    shop.push({"k/kustomization.yaml": "resources: [h.yaml]\n", "a.yaml": None})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "h") is not None, "nobody knows what the folder asks for now"
    assert await shop.live(CONFIGMAPS, "a") is None
    assert "kustomize" in await shop.problems()


async def test_config_that_running_pods_were_made_from_stays_until_they_are_gone(shop: Desk) -> None:
    shop.push({f"{name}.yaml": config(name) for name in "abcdefgh"})
    await shop.look()
    container = {"name": "x", "image": "x", "envFrom": [{"configMapRef": {"name": "a"}}]}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": template}
    metadata = {"name": "x", "namespace": NAMESPACE}
    shop.cache.put(REPLICA_SETS, {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec})
    shop.push({"a.yaml": None, "b.yaml": None})
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is not None and await shop.live(CONFIGMAPS, "b") is None
    shop.cache.drop(REPLICA_SETS, NAMESPACE, "x")
    await shop.look()
    assert await shop.live(CONFIGMAPS, "a") is None


@pytest.mark.parametrize("kind", kinds_of(ROUTERS), ids=lambda kind: kind.kind)
def test_while_a_route_cannot_be_written_nothing_of_its_namespace_is_removed(kind: Resource) -> None:
    """Whichever router's it is: a route that may not be written keeps what it may still lead to."""
    route = f"apiVersion: {kind.api_version}\nkind: {kind.kind}\nmetadata: {{name: web, namespace: {NAMESPACE}}}\n"
    found = facts({"route": route, "a": config("a")}, entries=1)
    found = replace(found, settings=replace(SETTINGS, allow=replace(SETTINGS.allow, kinds=("ConfigMap",))))
    assert [prune.place[3] for prune in plan(found, NOW).prunes] == ["old0"]
    assert plan(replace(found, routers=ROUTERS), NOW).prunes == ()


@pytest.mark.parametrize("kind", kinds_of(ROUTERS), ids=lambda kind: kind.kind)
def test_a_plan_says_which_of_its_writes_users_feel_at_once(kind: Resource) -> None:
    route = f"apiVersion: {kind.api_version}\nkind: {kind.kind}\nmetadata: {{name: web, namespace: {NAMESPACE}}}\n"
    found = facts({"route": route, "a": config("a")})
    allow = replace(SETTINGS.allow, kinds=("ConfigMap", f"{kind.kind}.{kind.group}"))
    resources = {**found.resources, (kind.api_version, kind.kind): kind}
    found = replace(found, settings=replace(SETTINGS, allow=allow), routers=ROUTERS, resources=resources)
    assert {place[1] for place in plan(found, NOW).serving} == {kind.kind}


def test_a_tip_whose_namespaces_are_all_there_is_judged_as_it_is() -> None:
    """What is thought out once of a tip stays thought out."""
    found = facts({"a": rollout(), "n": f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n"})
    assert ready(found) is found.tip.parsed
    missing = ready(replace(found, namespaces={}))
    assert [located.key[0] for located in missing.manifests] == ["Namespace"] and missing.find("Rollout", NAMESPACE, "web") is None


def test_a_workload_that_is_being_adopted_is_looked_at_again_soon_though_nothing_is_written() -> None:
    spec = {"strategy": {"canary": {}}}
    text = rollout().replace("kind: Rollout", "kind: Deployment").replace("argoproj.io/v1alpha1", "apps/v1")
    text = text[: text.index("  strategy:")] + text[text.index("  template:") :]
    before = replace(facts({"web": text}), adopting={(NAMESPACE, "web"): spec})
    first = plan(before, NOW)
    lived = carried_out(before, first)
    rollouts = {(NAMESPACE, "web"): lived.live["argoproj.io/v1alpha1", "Rollout", NAMESPACE, "web"]}
    second = plan(replace(lived, rollouts=rollouts), NOW)
    assert (first.waves != (), second.waves) == (True, ())
    assert second.wake_at == NOW + LOOK_AGAIN


def test_an_override_of_the_rollout_keeps_the_template_of_the_deployment_that_it_adopted() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
    text += "spec: {template: {spec: {containers: [{name: web, image: 'web:2'}]}}}\n"
    template = {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    live = {**applied("web", kind="Deployment"), "apiVersion": "apps/v1", "spec": {"template": template}}
    for override, image in (("asked", "web:1"), ("earlier", "web:2")):
        chosen = {"metadata": {"name": "web", "namespace": NAMESPACE, "annotations": {"reconciler.dev/override": override}}, "status": {}}
        gates = {("Deployment", NAMESPACE, "web"): GateFacts("asked", rollout=chosen)}
        ((write,),) = plan(source_facts({"web": text}, (live,), gates=gates), NOW).waves
        assert write.patch.body["spec"]["template"]["spec"]["containers"][0]["image"] == image  # type: ignore[call-overload, index]
