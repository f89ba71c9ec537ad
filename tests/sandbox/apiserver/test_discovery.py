"""Discovery: groups, versions, OpenAPI stubs; a new kind is there at once."""

from typing import Any

import orjson
import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, Call

from tests.kit.apiserver import DEFINITIONS, definition


async def document(server: ApiServer, path: str, **headers: str) -> Any:
    answer = await server.call(Call("GET", path, {}, headers))
    assert answer.status == 200 and isinstance(answer.body, bytes), (path, answer)
    return orjson.loads(answer.body)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/api/v1", "APIResourceList"),
        ("/apis/apps/v1", "APIResourceList"),
    ],
)
async def test_groups_and_versions_have_documents(api_server: ApiServer, path: str, kind: str) -> None:
    assert (await document(api_server, path))["kind"] == kind


async def test_subresources_are_listed_with_their_verbs(api_server: ApiServer) -> None:
    resources = {one["name"]: one for one in (await document(api_server, "/api/v1"))["resources"]}
    assert resources["pods/eviction"]["verbs"] == ["create"] and resources["pods/eviction"]["kind"] == "Eviction"
    assert resources["pods/log"]["verbs"] == ["get"]


@pytest.mark.parametrize("path", ["/version", "/version/"])
async def test_the_version_is_told_with_and_without_a_slash(api_server: ApiServer, path: str) -> None:
    assert (await document(api_server, path))["major"] == "1"


async def test_unchanged_documents_are_not_sent_again(api_server: ApiServer) -> None:
    first = await api_server.call(Call("GET", "/apis", {}, {}))
    again = await api_server.call(Call("GET", "/apis", {}, {"if-none-match": first.headers["etag"]}))
    assert (again.status, again.body) == (304, b"")


async def test_a_definition_changes_discovery_at_once(api_server: ApiServer, api: ApiClient) -> None:
    await document(api_server, "/apis")
    await api.create(DEFINITIONS, definition(versions=("v1alpha1", "v1")))
    [group] = [one for one in (await document(api_server, "/apis"))["groups"] if one["name"] == "demo.example.com"]
    assert [version["version"] for version in group["versions"]] == ["v1", "v1alpha1"]
    assert (await document(api_server, "/apis/demo.example.com/v1"))["resources"][0]["shortNames"] == ["cny"]
    assert (await document(api_server, "/apis/demo.example.com"))["preferredVersion"]["version"] == "v1"


async def test_however_much_is_read_discovery_goes_on(api_server: ApiServer) -> None:
    for number in range(2_000):
        await api_server.call(Call("GET", f"/api/v1/namespaces/default/pods/p{number}"))
        await api_server.call(Call("GET", f"/apis/g{number}/v1"))
    assert (await document(api_server, "/apis/apps/v1"))["kind"] == "APIResourceList"


async def test_the_openapi_stub_leaves_validation_to_the_server(api_server: ApiServer) -> None:
    index = await document(api_server, "/openapi/v3")
    url = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
    openapi = await document(api_server, url.partition("?")[0])
    operation = openapi["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert operation["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "fieldValidation" in [parameter["name"] for parameter in operation["parameters"]]


@pytest.mark.parametrize("path", ["/apis/none", "/apis/apps/v9", "/openapi/v2", "/openapi/v3/apis/none/v1", "/metrics"])
async def test_what_is_not_served_is_not_found(api_server: ApiServer, path: str) -> None:
    assert (await api_server.call(Call("GET", path))).status == 404
