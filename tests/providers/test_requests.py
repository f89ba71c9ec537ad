"""HTTP as providers speak it."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.kernel.fields import Fields
from reconciler.providers.metrics_client import MetricsClient, Sharing
from reconciler.providers.requests import basic, bearer, headers_of
from reconciler.web.client import HttpCall
from tests.kit.analysis import Endpoint, endpoint
from tests.kit.metrics import metrics_client


@pytest.fixture
async def client() -> AsyncIterator[MetricsClient]:
    async with metrics_client() as opened:
        yield opened


def credentials(server: Endpoint) -> Fields:
    return Fields("oauth2", {"tokenUrl": f"{server.url}/token", "clientId": "i", "clientSecret": "s3cret"})


async def test_credentials_go_in_the_form_where_the_header_is_refused(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/token", "no", 401)
        with pytest.raises(Terminal) as refused:
            await bearer(client, credentials(server), insecure=False, timeout=5)
    assert str(refused.value) == "authentication.oauth2: the token endpoint answered 401 without a token"
    first, second = server.requests
    assert first[2]["Authorization"] == basic("i", "s3cret")
    assert "Authorization" not in second[2]
    assert parse_qs(second[3]) == {"grant_type": ["client_credentials"], "client_id": ["i"], "client_secret": ["s3cret"]}


async def test_a_request_that_trusts_everybody_has_a_client_of_its_own(client: MetricsClient) -> None:
    async with endpoint() as server:
        server.answer("/x", "yes")
        answer = await client.send(HttpCall(method="GET", url=f"{server.url}/x"), insecure=True, sharing=Sharing.NEVER)
    assert answer.body == b"yes"


def test_headers_are_printable_ascii() -> None:
    assert headers_of(Fields("web", {"headers": [{"key": "A", "value": "b"}]})) == {"A": "b"}
    for key, value in (("", "b"), ("A", "ä"), ("A", "b\r\nC: d")):
        with pytest.raises(Terminal, match="cannot be sent"):
            headers_of(Fields("web", {"headers": [{"key": key, "value": value}]}))
