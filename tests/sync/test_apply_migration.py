"""Objects that kubectl's client-side apply wrote: what leaves Git leaves them too, and nothing in between is ever seen."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from reconciler_sandbox.client import Answer, Call

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of
from reconciler.kernel.plan import PatchStyle
from reconciler.kernel.resources import CONFIGMAPS, DEPLOYMENTS
from reconciler.sync.migration import CLIENT_SIDE, LAST_APPLIED
from tests.kit.clusters import NAMESPACE
from tests.kit.desk import Desk, config, desk
from tests.kit.kubectl import Kubectl, binary
from tests.kit.manifests import deployment

PLACE = ObjectRef(CONFIGMAPS, NAMESPACE, "a")
BOTH, ONE = "[{name: A, value: '1'}, {name: B, value: '2'}]", "[{name: A, value: '1'}]"


def with_environment(env: str) -> str:
    return deployment(image="web:1", extra=f"          env: {env}\n", replicas=1)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def applied_by_kubectl(shop: Desk, text: str) -> Manifest:
    """What `kubectl apply` leaves behind on a server without managedFields."""
    manifest = yaml.safe_load(text)
    resource = DEPLOYMENTS if manifest["kind"] == "Deployment" else CONFIGMAPS
    marked = {**manifest, "metadata": {**manifest["metadata"], "annotations": {LAST_APPLIED: json.dumps(manifest)}}}
    return await shop.api.client.create(resource, marked)


async def owned_by_kubectl(shop: Desk, **fields: Manifest) -> None:
    """What a server with managedFields has on record after it."""
    who = {"manager": CLIENT_SIDE, "operation": "Update", "apiVersion": "v1", "time": "2030-01-01T00:00:00Z"}
    entry = {**who, "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {f"f:{name}": trie for name, trie in fields.items()}}}
    await shop.api.client.patch(PLACE, [{"op": "add", "path": "/metadata/managedFields", "value": [entry]}], style=PatchStyle.JSON)


async def test_what_left_git_leaves_an_object_whose_owner_was_client_side_apply(shop: Desk) -> None:
    await applied_by_kubectl(shop, config("a") + "  gone: '1'\n")
    await owned_by_kubectl(shop, a={}, gone={})
    await shop.api.client.patch(PLACE, {"data": {"theirs": "3"}})
    shop.push({"a.yaml": config("a", "2")})
    await shop.look()
    live = await shop.api.client.with_owners(PLACE)
    assert live["data"] == {"a": "2", "theirs": "3"}
    assert {entry["manager"] for entry in live["metadata"]["managedFields"]} == {"reconciler"}
    shop.push({"a.yaml": config("a", "2", key="other")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"other": "2", "theirs": "3"}


async def test_what_left_git_leaves_an_object_whose_owners_nobody_keeps(shop: Desk) -> None:
    await applied_by_kubectl(shop, with_environment(BOTH))
    seen = []

    async def note(call: Call) -> Answer | None:
        if call.method == "PATCH":
            seen.append((await shop.found(DEPLOYMENTS, "web"))["spec"]["template"])
        return None

    shop.api.server.faults = note
    shop.push({"d.yaml": with_environment(ONE)})
    await shop.look()
    live = await shop.found(DEPLOYMENTS, "web")
    assert live["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]
    assert LAST_APPLIED not in annotations_of(live)
    assert seen[1] == seen[-1] == live["spec"]["template"] != seen[0], "one new template, not one after the other"
    shop.push({"d.yaml": with_environment("[]")})
    await shop.look()
    assert not (await shop.found(DEPLOYMENTS, "web"))["spec"]["template"]["spec"]["containers"][0].get("env")


async def test_an_object_that_is_as_git_wants_it_is_taken_over_once(shop: Desk) -> None:
    await applied_by_kubectl(shop, config("a"))
    shop.push({"a.yaml": config("a")})
    await shop.look()
    await shop.look()
    shop.api.transport.calls.clear()
    await shop.look()
    assert shop.api.writes() == []


async def test_a_race_while_it_is_taken_over_is_looked_at_again(shop: Desk) -> None:
    await applied_by_kubectl(shop, config("a") + "  gone: '1'\n")
    shop.push({"a.yaml": config("a", "2")})
    raced = False

    async def race(call: Call) -> Answer | None:
        nonlocal raced
        if call.method == "PATCH" and call.path.endswith("/configmaps/a") and not raced:
            raced = True
            await shop.api.client.patch(PLACE, {"data": {"raced": "1"}})
        return None

    shop.api.server.faults = race
    wake_at = await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"]["a"] == "1"
    assert wake_at is not None
    shop.clock.time = wake_at
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "2", "raced": "1"}


@pytest.mark.skipif(not binary(), reason="no kubectl here")
async def test_what_a_real_kubectl_applied_is_taken_over(shop: Desk, tmp_path: Path) -> None:
    await shop.api.server.start()
    kubectl = Kubectl(tmp_path)
    await kubectl(f"--server {shop.api.server.url} apply -f -", yaml.safe_load(config("a") + "  gone: '1'\n"))
    shop.push({"a.yaml": config("a")})
    await shop.look()
    assert (await shop.found(CONFIGMAPS, "a"))["data"] == {"a": "1"}
