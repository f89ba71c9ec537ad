"""What a write changes, and what it leaves (reference 3.2)."""

import re

from tests.real.kit.api import Api
from tests.real.kit.objects import APPS, config_map, deployment, lease, pod, service


async def test_a_write_that_changes_nothing_keeps_the_version(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}))
    again = await api("PUT", api.ours("configmaps", "a"), made)
    patched = await api.patch(api.ours("configmaps", "a"), {"data": {"x": "1"}})
    assert [again.status, patched.status] == [200, 200]
    assert again.version == patched.version == made["metadata"]["resourceVersion"]


async def test_versions_count_over_all_kinds(api: Api) -> None:
    first = await api.made(api.ours("configmaps"), config_map("a"))
    second = await api.made(api.ours("services"), service("s"))
    listed = await api("GET", api.ours("secrets"))
    assert int(first["metadata"]["resourceVersion"]) < int(second["metadata"]["resourceVersion"]) <= int(listed.version)


async def test_an_object_is_given_what_identifies_it(api: Api) -> None:
    metadata = (await api.made(api.ours("configmaps"), config_map("a", uid="mine", generation=7)))["metadata"]
    assert metadata["namespace"] == api.namespace
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert "selfLink" not in metadata


async def test_generation_follows_the_spec_alone(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS)
    made = await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    assert made["metadata"]["generation"] == 1
    assert (await api.patch(path, {"metadata": {"labels": {"a": "b"}}})).metadata["generation"] == 1
    assert (await api.patch(path + "/status", {"status": {"replicas": 0}})).metadata["generation"] == 1
    assert (await api.patch(path, {"spec": {"minReadySeconds": 1}})).metadata["generation"] == 2
    assert (await api.patch(path, {"metadata": {"annotations": {"a": "b"}}})).metadata["generation"] == 3
    assert (await api.patch(path, {"metadata": {"generation": 9}})).metadata["generation"] == 3
    assert "generation" not in (await api.made(api.ours("configmaps"), config_map("a")))["metadata"]


async def test_the_status_has_its_own_endpoint(api: Api) -> None:
    path = api.ours("pods", "p")
    made = await api.made(api.ours("pods"), {**pod("p"), "status": {"phase": "Failed"}})
    assert made["status"]["phase"] == "Pending"
    assert (await api.patch(path, {"status": {"reason": "Mine"}})).document["status"].get("reason") is None
    told = await api.patch(path + "/status", {"status": {"reason": "Mine"}})
    assert told.document["status"]["reason"] == "Mine"
    group, labels = "apps/v1", {"metadata": {"labels": {"a": "b"}}, "status": {"collisionCount": 3}}
    await api.made(api.ours("deployments", group=group), deployment("web", paused=True))
    told = await api.patch(api.ours("deployments", "web", group=group) + "/status", labels)
    assert told.document["status"]["collisionCount"] == 3 and not told.metadata.get("labels")


async def test_a_dry_run_stores_nothing(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a"), dryRun="All")
    assert made["metadata"]["uid"] and "resourceVersion" not in made["metadata"]
    assert (await api("GET", api.ours("configmaps", "a"))).status == 404


async def test_a_name_can_be_generated(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "job-"}}
    name = (await api.made(api.ours("configmaps"), body))["metadata"]["name"]
    assert re.fullmatch(r"job-[bcdfghjklmnpqrstvwxz2456789]{5}", name)


async def test_what_identifies_an_object_stays(api: Api) -> None:
    made = await api.made(api.ours("configmaps"), config_map("a"))
    path = api.ours("configmaps", "a")
    assert (await api.patch(path, {"metadata": {"uid": "other"}})).status in (409, 422)
    changed = await api.patch(path, {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z"}, "data": {"x": "1"}})
    assert changed.metadata["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert (await api.patch(path, {"metadata": {"name": "b"}})).status == 400


async def test_a_replacement_needs_no_version_for_built_in_kinds(api: Api) -> None:
    await api.made(api.ours("configmaps"), config_map("a", {"x": "1"}))
    assert (await api("PUT", api.ours("configmaps", "a"), config_map("a", {"y": "2"}))).document["data"] == {"y": "2"}
    assert (await api("PUT", api.ours("configmaps", "nope"), config_map("nope"))).status == 404


async def test_a_body_may_be_yaml_or_say_nothing_of_its_type(api: Api) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
    assert (await api("POST", api.ours("configmaps"), text, content="application/yaml")).document["data"] == {"x": "1"}
    assert (await api("POST", api.ours("configmaps"), config_map("b"), content=None)).status == 201
    assert (await api("POST", api.ours("configmaps"), {"metadata": {"name": "c"}})).document["kind"] == "ConfigMap"


async def test_the_selector_of_a_deployment_is_for_ever(api: Api) -> None:
    await api.made(api.ours("deployments", group=APPS), deployment("web"))
    patch = {"spec": {"selector": {"matchLabels": {"app": "other"}}, "template": {"metadata": {"labels": {"app": "other"}}}}}
    reply = await api.patch(api.ours("deployments", "web", group=APPS), patch)
    assert reply.refusal[:2] == (422, "Invalid") and "field is immutable" in reply.refusal[2]


async def test_the_scale_is_another_view(api: Api) -> None:
    path = api.ours("deployments", "web", group=APPS) + "/scale"
    await api.made(api.ours("deployments", group=APPS), deployment("web", paused=True))
    scale = (await api("GET", path)).document
    assert (scale["kind"], scale["apiVersion"], scale["spec"]) == ("Scale", "autoscaling/v1", {})
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    assert (await api.patch(path, {"spec": {"replicas": 2}})).document["spec"] == {"replicas": 2}
    found = (await api("GET", api.ours("deployments", "web", group=APPS))).document
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (2, 2)


async def test_a_lease_is_taken_by_who_knows_its_version(api: Api) -> None:
    group = "coordination.k8s.io/v1"
    path = api.ours("leases", "leader", group=group)
    made = await api.made(api.ours("leases", group=group), lease("leader", "one"))
    assert made["spec"]["renewTime"] == "2030-01-01T00:00:00.000000Z"
    taken = {**made, "spec": {**made["spec"], "holderIdentity": "two"}}
    assert (await api("PUT", path, taken)).document["spec"]["holderIdentity"] == "two"
    assert (await api("PUT", path, {**made, "spec": {**made["spec"], "holderIdentity": "three"}})).refusal[:2] == (409, "Conflict")


async def test_a_lease_that_is_not_there_is_made_by_put(api: Api) -> None:
    reply = await api("PUT", api.ours("leases", "leader", group="coordination.k8s.io/v1"), lease("leader", "one"))
    assert reply.status == 201


async def test_times_are_written_in_one_way(api: Api) -> None:
    group = "coordination.k8s.io/v1"
    body = lease("leader", "one")
    body["spec"]["renewTime"] = "2030-01-01T02:00:00.500000+02:00"
    assert (await api.made(api.ours("leases", group=group), body))["spec"]["renewTime"] == "2030-01-01T00:00:00.500000Z"


async def test_secrets_are_stored_encoded(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    made = await api.made(api.ours("secrets"), body)
    assert (made["type"], made["data"]) == ("Opaque", {"password": "aHVudGVyMg=="})
    assert "stringData" not in made


async def test_a_bound_pod_is_evicted_with_grace(api: Api) -> None:
    await api.made(api.ours("pods"), pod("p"))
    eviction = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "p", "namespace": api.namespace}}
    assert (await api("POST", api.ours("pods", "p") + "/eviction", eviction)).status == 201
    await api.gone(api.ours("pods", "p"))
