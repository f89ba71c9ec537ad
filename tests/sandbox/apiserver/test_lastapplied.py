"""From client-side to server-side apply."""

import json
from typing import Any

import pytest
from reconciler_sandbox.apiserver.lastapplied import ANNOTATION, brought_up_to_date, ceded
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.apiserver.shapes import NamedShape
from reconciler_sandbox.client import ApiClient, Call

from tests.kit.apiserver import CONFIG_MAPS, config_map

SHAPE = NamedShape()


def applied(annotation: str | None, **data: str) -> dict[str, Any]:
    annotations = {} if annotation is None else {"annotations": {ANNOTATION: annotation}}
    return {**config_map("a", **data), "metadata": {"name": "a", **annotations}}


def test_what_still_is_as_it_was_applied_is_ceded() -> None:
    live = applied(json.dumps(config_map("a", x="1", y="1")), x="1", y="changed")
    assert ceded(live, SHAPE) == {("f:data", "f:x")}


@pytest.mark.parametrize("annotation", [None, "", "not json", "[]", "null"])
def test_without_a_readable_annotation_nothing_is(annotation: str | None) -> None:
    assert ceded(applied(annotation, x="1"), SHAPE) == frozenset()


def test_the_annotation_follows_where_there_is_one() -> None:
    told = brought_up_to_date(applied("{}", x="1"), config_map("a", x="2"))
    assert json.loads(told["metadata"]["annotations"][ANNOTATION])["data"] == {"x": "2"}
    plain = applied(None, x="1")
    assert brought_up_to_date(plain, config_map("a", x="2")) is plain


async def test_kubectl_takes_over_and_nobody_else(api_server: ApiServer, api: ApiClient) -> None:
    body = config_map("a", x="1")
    await api.create(CONFIG_MAPS, {**body, "metadata": {"name": "a", "annotations": {ANNOTATION: json.dumps(body)}}})
    content, wanted = {"content-type": "application/apply-patch+yaml"}, json.dumps(config_map("a", x="2")).encode()
    for manager, code in (("argo", 409), ("kubectl", 200)):
        answer = await api_server.call(Call("PATCH", f"{CONFIG_MAPS}/a", {"fieldManager": manager}, content, wanted))
        assert answer.status == code
    found = await api.get(f"{CONFIG_MAPS}/a")
    assert found is not None and found["data"] == {"x": "2"}
    assert json.loads(found["metadata"]["annotations"][ANNOTATION])["data"] == {"x": "2"}
