"""Which resource serves a kind."""

from collections.abc import AsyncIterator

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.kernel.resources import DEPLOYMENTS, ROLLOUTS
from reconciler.kube.discovery import Discovery
from tests.kit.clusters import Api, api


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


async def test_kinds_of_our_own_table_are_not_asked_for(cluster: Api) -> None:
    discovery = Discovery(cluster.client)
    assert await discovery.resource_of({"apiVersion": "apps/v1", "kind": "Deployment"}) is DEPLOYMENTS
    assert await discovery.resource_of({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}) is ROLLOUTS
    assert cluster.transport.calls == []


async def test_another_kind_is_asked_for_once_and_its_subresources_are_no_kinds(cluster: Api) -> None:
    discovery = Discovery(cluster.client)
    manifest = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    found = await discovery.resource_of(manifest)
    assert await discovery.resource_of(manifest) is found
    assert (found.plural, found.namespaced, found.group) == ("persistentvolumeclaims", True, "")
    assert len(cluster.transport.calls) == 1


@pytest.mark.parametrize("api_version", ["nobody.example/v1", "v1"])
async def test_a_kind_that_nobody_serves_says_what_to_install(cluster: Api, api_version: str) -> None:
    with pytest.raises(Terminal, match=f"serves no Widget in {api_version}: install its CustomResourceDefinition"):
        await Discovery(cluster.client).resource_of({"apiVersion": api_version, "kind": "Widget"})


async def test_a_kind_installed_later_is_found(cluster: Api) -> None:
    discovery = Discovery(cluster.client)
    manifest = {"apiVersion": "v1", "kind": "Widget"}
    for _ in range(2):
        with pytest.raises(Terminal):
            await discovery.resource_of(manifest)
    assert len(cluster.transport.calls) == 2
