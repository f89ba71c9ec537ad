"""Environment variables and the kubelet's expansion."""

import base64

import pytest
from reconciler_sandbox.client import Answer, ApiClient, Call
from reconciler_sandbox.node.environment import command_line, environment, expanded
from reconciler_sandbox.node.syntax import Unsupported

from tests.kit.workloads import pod


async def api(call: Call) -> Answer:
    """A server with one Secret."""
    if call.path == "/api/v1/namespaces/shop/secrets/token":
        return Answer(200, {}, b'{"data":{"key":"%s"}}' % base64.b64encode(b"hush"))
    return Answer(404, {}, b'{"reason":"NotFound","code":404}')


async def variables(*entries: dict[str, object]) -> dict[str, str]:
    return await environment(ApiClient(api), pod(metadata={"annotations": {"a/b": "c"}}), {"env": list(entries)}, "127.20.0.9")


def reference(kind: str, **content: object) -> dict[str, object]:
    return {"name": "X", "valueFrom": {kind: content}}


def test_known_names_expand_unknown_ones_stay_and_two_dollars_are_one() -> None:
    assert expanded("$(A) $(B) $$(A) $A", {"A": "1"}) == "1 $(B) $(A) $A"


async def test_a_value_may_use_the_ones_before_it() -> None:
    assert await variables({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}) == {"A": "1", "B": "12"}


@pytest.mark.parametrize(
    ("path", "value"),
    [("metadata.name", "web-1"), ("metadata.labels['app']", "web"), ("metadata.annotations['a/b']", "c"), ("status.podIP", "127.20.0.9")],
)
async def test_fields_of_the_pod_are_variables(path: str, value: str) -> None:
    assert await variables(reference("fieldRef", fieldPath=path)) == {"X": value}


async def test_a_secret_is_decoded() -> None:
    assert await variables(reference("secretKeyRef", name="token", key="key")) == {"X": "hush"}


async def test_a_missing_source_is_named_unless_it_is_optional() -> None:
    with pytest.raises(Unsupported, match="configMapKeyRef gone"):
        await variables(reference("configMapKeyRef", name="gone", key="k"))
    assert await variables(reference("configMapKeyRef", name="gone", key="k", optional=True)) == {}


async def test_unknown_sources_are_named() -> None:
    with pytest.raises(Unsupported, match="resourceFieldRef"):
        await variables(reference("resourceFieldRef", resource="limits.cpu"))
    with pytest.raises(Unsupported, match=r"spec\.hostname"):
        await variables(reference("fieldRef", fieldPath="spec.hostname"))


def test_an_image_of_curl_starts_curl() -> None:
    assert command_line({"image": "curlimages/curl:8", "args": ["-f", "http://$(HOST)/"]}, {"HOST": "web"}) == ["curl", "-f", "http://web/"]
    assert command_line({"image": "busybox", "command": ["sh", "-c"], "args": ["true"]}, {}) == ["sh", "-c", "true"]
