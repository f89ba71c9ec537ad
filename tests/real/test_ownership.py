"""Which fields are no longer ours, told by what a server keeps of its managers: the ground of drift (docs/sources.md)."""

from typing import Any

import pytest

from reconciler.sync.drift.ownership import foreign_fields, lost_fields
from tests.real.kit.api import Api, Json
from tests.real.kit.objects import APPS, config_map, deployment, service

OURS = "reconciler"
TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {
        "containers": [
            {
                "name": "main",
                "image": "registry.example/web:1.0",
                "args": ["a", "b"],
                "env": [{"name": "MODE", "value": "1"}],
                "ports": [{"containerPort": 80}],
                "resources": {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi"}},
            }
        ],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    },
}
WEB = deployment("web", template=TEMPLATE)


def path_of(api: Api, body: Json) -> str:
    plural, group = {"ConfigMap": ("configmaps", ""), "Deployment": ("deployments", APPS), "Service": ("services", "")}[body["kind"]]
    return api.ours(plural, body["metadata"]["name"], group=group)


async def applied(api: Api, body: Json) -> Json:
    return (await api.patch(path_of(api, body), body, "apply", fieldManager=OURS, force="true")).document


async def lost(api: Api, body: Json) -> list[tuple[str, str]]:
    live = (await api("GET", path_of(api, body))).document
    return [(one.name, one.manager) for one in lost_fields(body, live)]


async def edited(api: Api, body: Json, change: Any, style: str = "merge", *, by: str = "kubectl-edit") -> None:
    manager, _, subresource = by.partition("/")
    path = path_of(api, body) + (f"/{subresource}" if subresource else "")
    reply = await api.patch(path, change, style, fieldManager=manager)
    assert reply.status == 200, reply.text


async def test_what_was_just_applied_is_ours_whatever_the_server_made_of_it(api: Api) -> None:
    for body in (WEB, config_map("a", {"x": "1"}), service("s", selector={"app": "web"})):
        await applied(api, body)
        assert await lost(api, body) == []


async def test_a_changed_value_names_who_changed_it_and_when(api: Api) -> None:
    body = config_map("a", {"x": "1", "y": "1"})
    await applied(api, body)
    await edited(api, body, {"data": {"x": "2", "z": "theirs"}})
    live = (await api("GET", path_of(api, body))).document
    (found,) = lost_fields(body, live)
    assert (found.name, found.pointer, found.manager) == ("data.x", "/data/x", "kubectl-edit")
    assert found.since.endswith("Z")


async def test_a_removed_field_is_lost_and_has_no_manager(api: Api) -> None:
    body = config_map("a", {"x": "1", "y": "1"})
    await applied(api, body)
    await edited(api, body, {"data": {"x": None}})
    assert await lost(api, body) == [("data.x", "")]


async def test_a_map_that_is_gone_is_one_field_or_all_of_its_fields(api: Api) -> None:
    body = config_map("a", {"x": "1", "y": "1"}, labels={"ours": "true"})
    await applied(api, body)
    await edited(api, body, {"data": None})
    assert await lost(api, body) in ([("data", "")], [("data.x", ""), ("data.y", "")])


async def test_a_value_that_another_set_back_is_not_lost(api: Api) -> None:
    body = config_map("a", {"x": "1"})
    await applied(api, body)
    await edited(api, body, {"data": {"x": "2"}})
    await edited(api, body, {"data": {"x": "1"}})
    assert await lost(api, body) == []


async def test_what_we_apply_again_is_ours_again(api: Api) -> None:
    body = config_map("a", {"x": "1"})
    await applied(api, body)
    await edited(api, body, {"data": {"x": "2"}})
    await applied(api, body)
    assert await lost(api, body) == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"image": "registry.example/web:evil"}, "spec.template.spec.containers[main].image"),
        ({"env": [{"name": "MODE", "value": "1.0"}]}, "spec.template.spec.containers[main].env[MODE].value"),
        ({"args": ["a"]}, "spec.template.spec.containers[main].args"),
        ({"resources": {"requests": {"cpu": "2"}}}, "spec.template.spec.containers[main].resources.requests.cpu"),
    ],
)
async def test_the_item_of_a_list_is_found_by_its_key(api: Api, change: Json, name: str) -> None:
    await applied(api, WEB)
    await edited(api, WEB, {"spec": {"template": {"spec": {"containers": [{"name": "main", **change}]}}}}, "strategic")
    assert await lost(api, WEB) == [(name, "kubectl-edit")]


async def test_a_sidecar_beside_what_is_ours_is_no_loss(api: Api) -> None:
    await applied(api, WEB)
    more = {"containers": [{"name": "proxy", "image": "proxy:1"}], "volumes": [{"name": "certs", "emptyDir": {}}]}
    await edited(api, WEB, {"spec": {"template": {"metadata": {"labels": {"injected": "true"}}, "spec": more}}}, "strategic", by="injector")
    assert await lost(api, WEB) == []


async def test_a_container_that_was_removed_is_lost_as_a_whole(api: Api) -> None:
    two = [*TEMPLATE["spec"]["containers"], {"name": "side", "image": "side:1"}]  # type: ignore[index]
    body = deployment("web", template={**TEMPLATE, "spec": {**TEMPLATE["spec"], "containers": two}})  # type: ignore[dict-item]
    await applied(api, body)
    await edited(api, body, {"spec": {"template": {"spec": {"containers": [{"$patch": "delete", "name": "side"}]}}}}, "strategic")
    assert await lost(api, body) == [("spec.template.spec.containers[side]", "")]


async def test_the_scale_of_a_workload_is_taken_over_through_its_subresource(api: Api) -> None:
    await applied(api, WEB)
    await edited(api, WEB, {"spec": {"replicas": 1}}, by="kubectl/scale")
    ((name, by),) = await lost(api, WEB)
    assert (name, by.partition(" ")[0]) == ("spec.replicas", "kubectl")


async def test_a_map_that_is_one_value_is_lost_as_one(api: Api) -> None:
    body = service("s", selector={"app": "web"})
    await applied(api, body)
    await edited(api, body, {"spec": {"selector": {"app": "other"}}})
    assert await lost(api, body) == [("spec.selector", "kubectl-edit")]


async def test_a_port_is_the_same_port_where_git_leaves_its_protocol_out(api: Api) -> None:
    body = service("s", ports=[{"port": 80, "targetPort": 8080}])
    await applied(api, body)
    assert await lost(api, body) == []
    await edited(api, body, [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9090}], "json")
    assert await lost(api, body) == [("spec.ports[80].targetPort", "kubectl-edit")]


async def test_the_same_amount_written_another_way_is_not_lost(api: Api) -> None:
    await applied(api, WEB)
    change = {"name": "main", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}
    await edited(api, WEB, {"spec": {"template": {"spec": {"containers": [change]}}}}, "strategic")
    assert await lost(api, WEB) == []


async def test_who_cleared_all_owners_leaves_nothing_to_tell(api: Api) -> None:
    body = config_map("a", {"x": "1"})
    await applied(api, body)
    await edited(api, body, {"metadata": {"managedFields": [{}]}, "data": {"x": "2"}})
    live = (await api("GET", path_of(api, body))).document
    assert lost_fields(body, live) == ()


async def test_of_what_we_never_wrote_every_other_value_is_foreign(api: Api) -> None:
    await api.made(api.ours("deployments", group=APPS), deployment("web", replicas=3), fieldManager="theirs")
    live = (await api("GET", api.ours("deployments", "web", group=APPS))).document
    assert lost_fields(WEB, live) == ()
    found = foreign_fields(deployment("web", replicas=1), live)
    assert [one.pointer for one in found] == ["/spec/replicas"]
