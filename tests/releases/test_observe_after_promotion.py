"""What the run after promotion needs is read from the cluster, template by template."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES
from reconciler.kube.client import Client
from reconciler.releases.verdict.observe_after_promotion import after_promotion_run
from tests.kit.clusters import NAMESPACE, api
from tests.kit.releases import release
from tests.kit.stocked import fill


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with api() as cluster:
        await fill(cluster.client)
        yield cluster.client


async def add(client: Client, name: str, *, resource: Resource = ANALYSIS_TEMPLATES, metric: bool = True, **spec: Any) -> None:
    metrics = [{"name": name, "interval": "10s", "provider": {"web": {"url": "http://x"}}}] if metric else []
    metadata = {"name": name, **({"namespace": NAMESPACE} if resource.namespaced else {})}
    await client.create(
        resource, {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": {"metrics": metrics, **spec}}
    )


async def begun(client: Client, *references: Manifest) -> list[str]:
    run = await after_promotion_run(client, release(), "web-bad-after", {"templates": list(references)})
    return [metric["name"] for metric in run["spec"]["metrics"]]


async def test_templates_of_the_namespace_and_of_the_cluster_are_found(client: Client) -> None:
    await add(client, "near")
    await add(client, "far", resource=CLUSTER_ANALYSIS_TEMPLATES)
    assert sorted(await begun(client, {"templateName": "near"}, {"templateName": "far", "clusterScope": True})) == ["far", "near"]


async def test_templates_that_templates_name_are_found_too(client: Client) -> None:
    await add(client, "inner")
    await add(client, "outer", metric=False, templates=[{"templateName": "inner"}])
    assert await begun(client, {"templateName": "outer"}) == ["inner"]


async def test_a_circle_of_templates_comes_to_an_end(client: Client) -> None:
    await add(client, "one", templates=[{"templateName": "two"}])
    await add(client, "two", templates=[{"templateName": "one"}])
    assert sorted(await begun(client, {"templateName": "one"})) == ["one", "two"]


async def test_a_template_that_is_not_there_is_named(client: Client) -> None:
    with pytest.raises(Terminal, match="ClusterAnalysisTemplate gone is not in the cluster: push it first"):
        await begun(client, {"templateName": "gone", "clusterScope": True})
