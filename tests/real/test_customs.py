"""Custom resources: pruned, defaulted, validated, watched; our own kinds among them (reference 3.7)."""

from collections.abc import AsyncIterator
from secrets import token_hex

import pytest
from reconciler_sandbox.rehearsal.fittings import definitions

from tests.kit.apiserver import canary, definition
from tests.real.kit.api import Api, Json

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def established(found: Json) -> bool:
    return any(one["type"] == "Established" and one["status"] == "True" for one in found["status"].get("conditions") or ())


@pytest.fixture
async def group(api: Api) -> AsyncIterator[str]:
    """A group of its own with the kind Canary: definitions belong to the whole cluster."""
    name = f"g{token_hex(4)}.example.com"
    body = definition()
    body["metadata"]["name"] = f"canaries.{name}"
    body["spec"]["group"] = name
    await api.made(DEFINITIONS, body)
    await api.until(f"{DEFINITIONS}/canaries.{name}", established)
    await served(api, name)
    yield f"{name}/v1alpha1"
    await api("DELETE", f"{DEFINITIONS}/canaries.{name}")


async def served(api: Api, name: str) -> None:
    """Established a moment before it answers."""
    await api.until(f"/apis/{name}/v1alpha1/canaries", lambda _: True)


def of(group: str, called: str, **spec: object) -> Json:
    return {**canary(called), "apiVersion": group, "spec": spec}


async def test_unknown_fields_are_pruned_and_defaults_filled_in(api: Api, group: str) -> None:
    made = await api.made(api.ours("canaries", group=group), of(group, "c", weight=5, bogus=1, free={"kept": True}, options={}))
    assert made["spec"] == {"weight": 5, "mode": "linear", "options": {"timeout": 30}, "free": {"kept": True}}
    assert made["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"weight": 200}, "spec.weight: Invalid value: 200: spec.weight in body should be less than or equal to 100"),
        ({"name": "A"}, "spec.name: Invalid value: \"A\": spec.name in body should match '^[a-z]+$'"),
        ({"mode": "zap"}, 'spec.mode: Unsupported value: "zap": supported values: "linear", "exp"'),
    ],
)
async def test_what_a_schema_forbids_is_refused(api: Api, group: str, spec: Json, message: str) -> None:
    reply = await api("POST", api.ours("canaries", group=group), of(group, "c", **spec))
    assert reply.refusal == (422, "Invalid", f'Canary.{group.split("/")[0]} "c" is invalid: {message}')


async def test_a_wrong_type_is_refused(api: Api, group: str) -> None:
    reply = await api("POST", api.ours("canaries", group=group), of(group, "c", weight="many"))
    assert reply.refusal[:2] == (422, "Invalid")
    assert 'spec.weight: Invalid value: "string": spec.weight in body must be of type integer: "string"' in reply.refusal[2]


async def test_a_number_or_text_stays_what_it_is(api: Api, group: str) -> None:
    for name, port in (("a", 80), ("b", "http")):
        made = await api.made(api.ours("canaries", group=group), of(group, name, port=port))
        assert made["spec"]["port"] == port


async def test_keys_of_a_list_map_are_used_once(api: Api, group: str) -> None:
    reply = await api("POST", api.ours("canaries", group=group), of(group, "c", steps=[{"name": "a"}, {"name": "a"}]))
    assert reply.refusal[:2] == (422, "Invalid") and "Duplicate value" in reply.refusal[2]


async def test_a_replacement_needs_a_version(api: Api, group: str) -> None:
    await api.made(api.ours("canaries", group=group), of(group, "c", weight=5))
    reply = await api("PUT", api.ours("canaries", "c", group=group), of(group, "c", weight=6))
    assert reply.refusal[:2] == (422, "Invalid")
    assert "metadata.resourceVersion: Invalid value: 0: must be specified for an update" in reply.refusal[2]


async def test_the_status_of_a_custom_resource_is_apart(api: Api, group: str) -> None:
    path = api.ours("canaries", "c", group=group)
    made = await api.made(api.ours("canaries", group=group), {**of(group, "c", weight=5), "status": {"phase": "Early"}})
    assert "status" not in made
    told = await api.patch(path + "/status", {"metadata": {"labels": {"a": "b"}}, "spec": {"weight": 9}, "status": {"phase": "Up"}})
    assert (told.document["status"], told.document["spec"]["weight"]) == ({"phase": "Up"}, 5)
    assert told.metadata["generation"] == 1 and not told.metadata.get("labels")
    assert (await api.patch(path, {"spec": {"weight": 6}})).metadata["generation"] == 2


async def test_a_custom_resource_takes_no_strategic_patch(api: Api, group: str) -> None:
    await api.made(api.ours("canaries", group=group), of(group, "c", weight=5))
    reply = await api.patch(api.ours("canaries", "c", group=group), {"spec": {"weight": 6}}, "strategic")
    assert reply.refusal[:2] == (415, "UnsupportedMediaType")


async def test_a_scale_is_read_by_the_paths_of_its_definition(api: Api, group: str) -> None:
    path = api.ours("canaries", "c", group=group)
    await api.made(api.ours("canaries", group=group), of(group, "c", replicas=2))
    scale = (await api("GET", path + "/scale")).document
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 0})
    await api.patch(path + "/scale", {"spec": {"replicas": 5}})
    assert (await api("GET", path)).document["spec"]["replicas"] == 5


async def test_a_definition_that_goes_takes_its_instances_along(api: Api, group: str) -> None:
    await api.made(api.ours("canaries", group=group), of(group, "c"))
    name = f"{DEFINITIONS}/canaries.{group.split('/')[0]}"
    await api("DELETE", name)
    await api.gone(name)
    await api.gone(f"/apis/{group}/canaries")


@pytest.mark.parametrize("body", definitions(), ids=lambda body: str(body["metadata"]["name"]))
async def test_our_own_kinds_are_accepted(api: Api, body: Json) -> None:
    """As they are deployed: every one is structural, established, and needs nothing that the oldest server lacks."""
    reply = await api("POST", DEFINITIONS, body)
    assert reply.status in (201, 409), reply.text[:1000]
    await api.until(f"{DEFINITIONS}/{body['metadata']['name']}", established)
