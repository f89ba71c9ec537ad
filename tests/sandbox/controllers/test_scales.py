"""Scales of whatever a reference names."""

import pytest
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.scales import NoScale, Scales

from tests.kit.apiserver import CANARIES, DEFINITIONS, DEPLOYMENTS, canary, definition, deployment


async def test_a_built_in_scale_is_read_and_written() -> None:
    api = ApiClient(ApiServer().call)
    await api.create(DEPLOYMENTS, deployment("web", replicas=2))
    scales = Scales(api)
    path, scale = await scales.read({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "default")
    assert path == f"{DEPLOYMENTS}/web/scale" and scale["spec"]["replicas"] == 2 and scale["status"]["selector"] == "app=web"
    await scales.write(path, scale, 5)
    assert (await api.read(f"{DEPLOYMENTS}/web"))["spec"]["replicas"] == 5
    with pytest.raises(ApiError, match="the object has been modified"):
        await scales.write(path, scale, 6)


async def test_a_custom_scale_is_found_in_whatever_version_is_preferred() -> None:
    api = ApiClient(ApiServer().call)
    await api.create(DEFINITIONS, definition())
    await api.create(CANARIES, canary("web", replicas=3))
    path, scale = await Scales(api).read({"apiVersion": "demo.example.com/v9", "kind": "Canary", "name": "web"}, "default")
    assert path == f"{CANARIES}/web/scale" and scale["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("version", "kind", "words"),
    [
        ("apps/v1", "Nope", 'no matches for kind "Nope" in group "apps"'),
        ("nobody.example/v1", "Nope", 'no matches for kind "Nope" in group "nobody.example"'),
        ("v1", "ConfigMap", "the server could not find the requested resource"),
        ("a/b/c", "ConfigMap", "unexpected GroupVersion string: a/b/c"),
        ("apps/v1", "Deployment", '"web" not found'),
    ],
)
async def test_what_has_no_scale_says_why(version: str, kind: str, words: str) -> None:
    with pytest.raises(NoScale) as refused:
        await Scales(ApiClient(ApiServer().call)).read({"apiVersion": version, "kind": kind, "name": "web"}, "default")
    assert words in str(refused.value)
