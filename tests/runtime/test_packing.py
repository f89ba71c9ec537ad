"""Facts and plans as JSON and back: what is packed comes out as it was, and no value of a Secret goes in."""

from datetime import UTC, datetime, timedelta
from enum import Enum

import orjson
import pytest

from reconciler.kernel.identity import ObjectRef
from reconciler.kernel.resources import SECRETS, SERVICES
from reconciler.releases.model import Verdict
from reconciler.routers.istio import Istio
from reconciler.runtime.packing import Packer, Unpackable, unpack

PACKER = Packer(b"one")


def there_and_back(value: object) -> object:
    return unpack(orjson.loads(orjson.dumps(PACKER.pack(value))))


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"a": [1, 2.5, True, "text", None]},
        (1, ("two",)),
        frozenset({"a", "b"}),
        {ObjectRef(SERVICES, "shop", "web"): 1},
        {("shop", "web"): (datetime(2026, 1, 5, tzinfo=UTC), timedelta(days=1, microseconds=3))},
        {"!": "a name that the packing uses itself"},
        Verdict.FAILED,
    ],
)
def test_what_is_packed_comes_out_as_it_was(value: object) -> None:
    assert there_and_back(value) == value


def test_an_object_of_ours_comes_out_as_one_of_its_class() -> None:
    assert isinstance(there_and_back(Istio()), Istio)


SECRET = {
    "kind": "Secret",
    "metadata": {"name": "token", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData": "hunter2"}'}},
    "data": {"token": "aHVudGVyMg=="},
    "stringData": {"token": "hunter2"},
}


def test_no_value_of_a_secret_and_no_text_of_a_file_is_packed() -> None:
    packed = orjson.dumps(PACKER.pack(({"objects": [SECRET]}, b"password: hunter2"))).decode()
    assert "hunter2" not in packed and "aHVudGVyMg" not in packed
    assert "token" in packed and SECRETS.kind in packed


def test_the_same_value_has_the_same_handle_under_one_key_alone() -> None:
    other = {**SECRET, "data": {"token": "b3RoZXI="}}
    assert PACKER.pack(SECRET) == PACKER.pack(dict(SECRET)) != PACKER.pack(other)
    assert PACKER.pack(SECRET)["data"] != Packer(b"two").pack(SECRET)["data"]


def test_a_stranger_is_not_packed() -> None:
    class Stranger(Enum):
        ONE = object()

    with pytest.raises(Unpackable, match="cannot be packed"):
        PACKER.pack(Stranger.ONE)
    with pytest.raises(Unpackable, match="object cannot be packed"):
        PACKER.pack([object()])


@pytest.mark.parametrize(
    "packed",
    [
        {"!": "os:system", "fields": {}},
        {"!": "reconciler.kernel.identity:Nothing", "fields": {}},
        {"!": "reconciler.nowhere:Thing", "fields": {}},
        {"!": "reconciler.runtime.packing:import_module", "fields": {}},
        {"!": "reconciler.releases.model:Verdict", "value": "no such word"},
        {"!": "reconciler.kernel.identity:ObjectRef", "fields": {"name": "web"}},
    ],
)
def test_nothing_but_a_class_of_this_edition_is_made_from_a_file(packed: dict[str, object]) -> None:
    with pytest.raises(Unpackable):
        unpack(packed)
