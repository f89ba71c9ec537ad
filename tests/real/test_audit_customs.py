"""Custom resources in the small: versions, schemas word by word, paths that are not there, definitions that are refused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import pytest

from tests.real.kit.api import Api, Json

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
OPEN: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SPEC: Json = {
    "must": {"type": "string"},
    "even": {"type": "integer", "minimum": 2, "maximum": 9},
    "ratio": {"type": "number"},
    "short": {"type": "string", "pattern": "^[a-z]+$"},
    "listed": {"type": "array", "items": {"type": "string"}},
    "unique": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    "sized": {"type": "object", "additionalProperties": {"type": "integer"}},
    "empty": {"type": "string", "nullable": True},
    "given": {"type": "string", "default": "d"},
    "nested": {
        "type": "object",
        "properties": {"inner": {"type": "object", "default": {}, "properties": {"b": {"type": "integer", "default": 3}}}},
    },
    "either": {"x-kubernetes-int-or-string": True},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
    "whole": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    "chosen": {"type": "string", "enum": ["a", "b"]},
    "truth": {"type": "boolean"},
    "items": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string", "default": "kk"}}}},
}
SCHEMA: Json = {
    "type": "object",
    "properties": {"spec": {"type": "object", "required": ["must"], "properties": SPEC}, "status": OPEN},
}


@dataclass(frozen=True)
class Things:
    """A kind of its own for one test: where it is defined, and where its objects are."""

    api: Api
    group: str

    @property
    def definition(self) -> str:
        return f"{DEFINITIONS}/things.{self.group}"

    def path(self, name: str = "", version: str = "v1") -> str:
        return self.api.ours("things", name, group=f"{self.group}/{version}")

    def thing(self, version: str = "v1", **spec: Any) -> Json:
        return {"apiVersion": f"{self.group}/{version}", "kind": "Thing", "metadata": {"name": "x"}, "spec": {"must": "a", **spec}}


def definition(group: str) -> Json:
    v1 = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": SCHEMA}, "subresources": {"status": {}}}
    v2 = {"name": "v2", "served": True, "storage": False, "schema": {"openAPIV3Schema": OPEN}}
    v3 = {"name": "v3", "served": False, "storage": False, "schema": {"openAPIV3Schema": OPEN}}
    names = {"plural": "things", "kind": "Thing", "shortNames": ["tg"], "categories": ["all"]}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [v1, v2, v3]}
    return {"metadata": {"name": f"things.{group}"}, "spec": spec}


@pytest.fixture
async def things(api: Api) -> AsyncIterator[Things]:
    made = Things(api, f"g{token_hex(4)}.example.com")
    await api.made(DEFINITIONS, definition(made.group))
    for version in ("v1", "v2"):
        await api.until(made.path(version=version), lambda _: True)
    yield made
    await api("DELETE", made.definition)


async def test_what_is_written_is_pruned_and_filled_in(api: Api, things: Things) -> None:
    given: Json = {
        "bogus": 1,
        "nested": {"zz": 1},
        "items": [{}, {"z": 1}],
        "even": 4.0,
        "empty": None,
        "given": None,
        "any": [1, {"x": None}],
    }
    made = await api.made(things.path(), {**things.thing(**given), "odd": 1})
    assert made["spec"] == {
        "must": "a", "given": "d", "nested": {"inner": {"b": 3}}, "items": [{"k": "kk"}, {"k": "kk"}], "even": 4, "empty": None,
        "any": [1, {"x": None}],
    }  # fmt: skip
    assert "odd" not in made and isinstance(made["spec"]["even"], int)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"must": None}, "spec.must: Required value"),
        ({"even": 1}, "spec.even: Invalid value: 1: spec.even in body should be greater than or equal to 2"),
        ({"even": "2"}, 'spec.even: Invalid value: "string": spec.even in body must be of type integer: "string"'),
        ({"ratio": "1"}, 'spec.ratio: Invalid value: "string": spec.ratio in body must be of type number: "string"'),
        ({"short": "X"}, "spec.short: Invalid value: \"X\": spec.short in body should match '^[a-z]+$'"),
        ({"listed": "x"}, 'spec.listed: Invalid value: "string": spec.listed in body must be of type array: "string"'),
        ({"unique": ["a", "a"]}, 'spec.unique[1]: Duplicate value: "a"'),
        ({"sized": {"a": "x"}}, 'spec.sized.a: Invalid value: "string": spec.sized.a in body must be of type integer: "string"'),
        ({"either": True}, 'spec.either: Invalid value: "boolean": spec.either in body must be of type integer,string: "boolean"'),
        ({"chosen": "c"}, 'spec.chosen: Unsupported value: "c": supported values: "a", "b"'),
        ({"truth": "true"}, 'spec.truth: Invalid value: "string": spec.truth in body must be of type boolean: "string"'),
    ],
)
async def test_a_schema_is_kept_word_by_word(api: Api, things: Things, spec: Json, words: str) -> None:
    reply = await api("POST", things.path(), things.thing(**spec), dryRun="All")
    assert reply.refusal == (422, "Invalid", f'Thing.{things.group} "x" is invalid: {words}')


async def test_every_served_version_shows_the_same_object(api: Api, things: Things) -> None:
    made = await api.made(things.path(), things.thing())
    other = await api("GET", things.path("x", "v2"))
    assert (other.document["apiVersion"], other.document["spec"]) == (f"{things.group}/v2", made["spec"])
    changed = await api.patch(things.path("x", "v2"), {"spec": {"must": "b", "unknown to v1": 1}})
    assert changed.status == 200
    assert (await api("GET", things.path("x"))).document["spec"] == {"must": "b", "given": "d"}


async def test_what_a_version_does_not_have_is_not_there(api: Api, things: Things) -> None:
    await api.made(things.path(), things.thing())
    gone = f'things.{things.group} "x" not found'
    assert (await api("GET", things.path("x", "v2") + "/status")).refusal == (404, "NotFound", gone)
    assert (await api.patch(things.path("x") + "/scale", {"spec": {"replicas": 1}})).refusal == (404, "NotFound", gone)
    for path in (
        things.path(version="v3"),
        f"/apis/{things.group}/v1/others",
        f"/apis/nobody.{things.group}",
        f"/apis/nobody.{things.group}/v1",
    ):
        reply = await api("GET", path)
        assert (reply.status, reply.text.strip()) == (404, "404 page not found"), path


async def test_a_version_that_is_no_longer_served_is_gone(api: Api, things: Things) -> None:
    reply = await api.patch(things.definition, [{"op": "replace", "path": "/spec/versions/1/served", "value": False}], "json")
    assert reply.status == 200
    await api.gone(things.path(version="v2"))
    assert (await api("GET", things.path())).status == 200


async def test_a_body_says_what_it_is(api: Api, things: Things) -> None:
    reply = await api("POST", things.path(), things.thing("v2"))
    words = f"the API version in the data ({things.group}/v2) does not match the expected API version ({things.group}/v1)"
    assert reply.refusal == (400, "BadRequest", words)
    assert (await api("POST", things.path(), {**things.thing(), "kind": None})).status == 400


async def test_metadata_is_as_of_any_kind(api: Api, things: Things) -> None:
    body = {**things.thing(), "metadata": {"name": "x", "bogus": 1, "labels": {}, "annotations": None, "finalizers": []}}
    metadata = (await api.made(things.path(), body))["metadata"]
    assert not {"bogus", "labels", "annotations", "finalizers"} & set(metadata)
    wrong = {**things.thing(), "metadata": {"name": "y", "labels": {"a": 1}}}
    assert (await api("POST", things.path(), wrong)).refusal[:2] == (400, "BadRequest")


async def test_a_version_in_a_replacement_is_a_number_that_was_seen(api: Api, things: Things) -> None:
    made = await api.made(things.path(), things.thing())
    words = f'things.{things.group} "x" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update'
    for version in (None, "0"):
        reply = await api("PUT", things.path("x"), {**made, "metadata": {**made["metadata"], "resourceVersion": version}})
        assert reply.refusal == (422, "Invalid", words)


async def test_a_definition_that_goes_says_so(api: Api, things: Things) -> None:
    await api.made(things.path(), {**things.thing(), "metadata": {"name": "x", "finalizers": ["example.com/mine"]}})
    going = (await api("DELETE", things.definition)).document
    assert {one["type"]: one["status"] for one in going["status"]["conditions"]}["Terminating"] == "True"
    await api.until(things.path("x"), lambda found: found["metadata"].get("deletionTimestamp"))
    await api.patch(things.path("x"), {"metadata": {"finalizers": None}})
    await api.gone(things.definition)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": {"kind": "Other"}}, 'spec.names.kind: Invalid value: "Other": field is immutable'),
        ({"scope": "Cluster"}, 'spec.scope: Invalid value: "Cluster": field is immutable'),
    ],
)
async def test_some_of_a_definition_is_for_ever(api: Api, things: Things, change: Json, words: str) -> None:
    reply = await api.patch(things.definition, {"spec": change})
    assert reply.refusal[:2] == (422, "Invalid") and words in reply.refusal[2]


def one_version(schema: Json | None, **version: Any) -> list[Json]:
    described = {} if schema is None else {"schema": {"openAPIV3Schema": schema}}
    return [{"name": "v1", "served": True, "storage": True, **described, **version}]


def with_child(**child: Any) -> list[Json]:
    return one_version({"type": "object", "properties": {"a": child}})


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"versions": one_version({"properties": {}})}, "openAPIV3Schema.type: Required value: must not be empty at the root"),
        ({"versions": one_version({"type": "string"})}, 'openAPIV3Schema.type: Invalid value: "string": must be object at the root'),
        ({"versions": with_child()}, "properties[a].type: Required value: must not be empty for specified object fields"),
        ({"versions": with_child(type="foo")}, 'properties[a].type: Unsupported value: "foo": supported values: "array", "boolean"'),
        ({"versions": with_child(type="array")}, "properties[a].items: Required value: must be specified"),
        ({"versions": with_child(type="string", default=1)}, "properties[a].default: Invalid value"),
        ({"versions": one_version(OPEN) * 2}, "spec.versions: Invalid value"),
        ({"versions": one_version(OPEN, subresources={"scale": {}})}, "subresources.scale.specReplicasPath: Required value"),
        ({"versions": one_version(OPEN, storage=False)}, "must have exactly one version marked as storage version"),
        ({"scope": "Nope"}, 'spec.scope: Unsupported value: "Nope": supported values: "Cluster", "Namespaced"'),
    ],
)
async def test_a_definition_is_refused_by_field(api: Api, spec: Json, words: str) -> None:
    group = f"g{token_hex(4)}.example.com"
    body = definition(group)
    body["spec"] |= {"versions": one_version(OPEN), **spec}
    code, reason, message = (await api("POST", DEFINITIONS, body)).refusal
    assert (code, reason) == (422, "Invalid") and words in message
