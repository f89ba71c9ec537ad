"""Which resource serves a kind."""

from collections.abc import AsyncIterator

import pytest

from reconciler.kernel.resources import DEPLOYMENTS, ROLLOUTS
from reconciler.kube.discovery import Discovery
from tests.kit.clusters import Api, api


@pytest.fixture
async def cluster() -> AsyncIterator[Api]:
    async with api() as found:
        yield found


async def test_kinds_of_our_own_table_are_not_asked_for(cluster: Api) -> None:
    kinds = {("apps/v1", "Deployment"): DEPLOYMENTS, ("argoproj.io/v1alpha1", "Rollout"): ROLLOUTS}
    assert await Discovery(cluster.client).resources_of(kinds) == kinds
    assert cluster.transport.calls == []


async def test_another_kind_is_asked_for_once_and_its_subresources_are_no_kinds(cluster: Api) -> None:
    discovery, kind = Discovery(cluster.client), ("v1", "PersistentVolumeClaim")
    found = (await discovery.resources_of([kind]))[kind]
    assert (await discovery.resources_of([kind]))[kind] is found
    assert (found.plural, found.namespaced, found.group) == ("persistentvolumeclaims", True, "")
    assert len(cluster.transport.calls) == 1


@pytest.mark.parametrize("api_version", ["nobody.example/v1", "v1"])
async def test_a_kind_that_is_not_served_is_left_out_and_asked_for_again_later(cluster: Api, api_version: str) -> None:
    discovery = Discovery(cluster.client)
    for _ in range(2):
        assert await discovery.resources_of([(api_version, "Widget")]) == {}
    assert len(cluster.transport.calls) == 2
