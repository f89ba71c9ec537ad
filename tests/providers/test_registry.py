"""Which providers there are."""

from reconciler.analysis.provider import Describing
from reconciler.providers.registry import PROVIDERS, ProviderHands, providers
from tests.kit.analysis import metric
from tests.kit.clusters import api
from tests.kit.metrics import metrics_client


async def test_providers_go_by_their_key_in_a_metric() -> None:
    async with api() as kubernetes, metrics_client() as client:
        known = providers(PROVIDERS, ProviderHands(client=kubernetes.client, http=client, prometheus_address=""))
    assert {name: type(provider).__name__.lower() for name, provider in known.items()} == {name: name.lower() for name in PROVIDERS}


async def test_a_query_is_shown_as_it_was_asked() -> None:
    async with api() as kubernetes, metrics_client() as client:
        known = providers(PROVIDERS, ProviderHands(client=kubernetes.client, http=client, prometheus_address=""))
        asked = known["prometheus"]
        assert isinstance(asked, Describing)
        assert asked.question(metric(providers={"prometheus": {"query": "up"}})) == {"ResolvedPrometheusQuery": "up"}
        assert not isinstance(known["web"], Describing)
