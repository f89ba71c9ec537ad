"""What each provider lets others share: questions, and never what begins or changes something."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import Manifest
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.registry import PROVIDERS, ProviderHands
from reconciler.web.client import HttpAnswer, HttpCall, open_client
from tests.kit.analysis import Endpoint, endpoint, task, vector
from tests.kit.clusters import NAMESPACE, api
from tests.kit.providers import SCRIPTS, keep


class Noting(MetricsClient):
    """Notes how each call was sent."""

    noted: list[tuple[str, Sharing]]

    async def send(self, call: HttpCall, *, insecure: bool, sharing: Sharing) -> HttpAnswer:
        self.noted.append((call.method, sharing))
        return await super().send(call, insecure=insecure, sharing=sharing)


@asynccontextmanager
async def noting() -> AsyncIterator[tuple[Noting, Endpoint]]:
    async with open_client() as http, endpoint() as server:
        client = Noting(http, SystemClock(), SystemClock())
        client.noted = []
        yield client, server


@pytest.mark.parametrize("name", SCRIPTS)
async def test_questions_to_services_are_shared_and_a_begin_is_not(name: str) -> None:
    async with noting() as (client, server), api() as kubernetes:
        for secret, texts in SCRIPTS[name].secrets(server.url).items():
            await keep(kubernetes.client, secret, texts)
        for path, body in SCRIPTS[name].answers.items():
            server.answer(path, body)
        told = SCRIPTS[name].variables(server.url)
        hands = ProviderHands(client=kubernetes.client, http=client, prometheus_address="", namespace=NAMESPACE, variables=told)
        await PROVIDERS[name].make(hands).run(task(name, SCRIPTS[name].config(server.url)))
    assert client.noted
    wanted = {"POST": Sharing.NEVER, "GET": Sharing.IN_FLIGHT} if name == "kayenta" else {}
    assert client.noted == [(method, wanted.get(method, Sharing.IN_FLIGHT)) for method, _ in client.noted]


@pytest.mark.parametrize(
    ("provider", "config", "sharing"),
    [
        ("web", {"method": "GET"}, Sharing.IN_FLIGHT),
        ("web", {"method": "POST", "body": "x"}, Sharing.NEVER),
        ("web", {"method": "PUT", "body": "x"}, Sharing.NEVER),
        ("prometheus", {"query": "up"}, Sharing.TICK),
        ("graphite", {"query": "up"}, Sharing.IN_FLIGHT),
    ],
)
async def test_a_request_that_may_change_something_is_sent_for_each(provider: str, config: Manifest, sharing: Sharing) -> None:
    async with noting() as (client, server), api() as kubernetes:
        server.answer("/api/v1/query", vector("1"))
        hands = ProviderHands(client=kubernetes.client, http=client, prometheus_address="")
        named = {"url" if provider == "web" else "address": f"{server.url}/"}
        await PROVIDERS[provider].make(hands).run(task(provider, {**named, **config}))
    assert [noted for _, noted in client.noted] == [sharing]
