"""Which providers there are."""

from reconciler.providers.registry import metadata_of, providers
from reconciler.web.client import open_client
from tests.kit.analysis import metric
from tests.kit.clusters import api


async def test_providers_go_by_their_key_in_a_metric() -> None:
    async with api() as kubernetes, open_client() as client:
        assert sorted(providers(kubernetes.client, client, "")) == ["job", "prometheus", "web"]


def test_a_query_is_shown_as_it_was_asked() -> None:
    assert metadata_of(metric(providers={"prometheus": {"query": "up"}})) == {"ResolvedPrometheusQuery": "up"}
    assert metadata_of(metric(providers={"web": {}})) == {}
