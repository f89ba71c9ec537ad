"""Protobuf bodies to the values that JSON would have brought, and hostile bytes to refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconciler_sandbox.apiserver.protobuf.decoding import MAX_VALUES, Unreadable, decode, text
from reconciler_sandbox.apiserver.protobuf.wire import Malformed

from tests.kit.protobuf import envelope, field, message

NAMED = message((1, "x"), (2, ""), (3, "default"), (5, ""), (7, 0), (8, b""))


def test_an_object_is_what_json_would_have_brought() -> None:
    raw = message((1, NAMED), (2, message((1, "a"), (2, "b"))), (2, message((1, "empty"), (2, ""))), (3, message((1, "bin"), (2, b"\xff"))))
    assert decode(envelope("v1", "ConfigMap", raw)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "namespace": "default"},
        "data": {"a": "b", "empty": ""},
        "binaryData": {"bin": "/w=="},
    }


def test_a_zero_counts_only_behind_a_pointer() -> None:
    spec = message((1, 0), (5, 0), (7, 0), (4, b""))
    found = decode(envelope("apps/v1", "Deployment", message((2, spec))))
    assert found["spec"] == {"replicas": 0}


def test_some_zeros_are_always_written() -> None:
    state = message((3, message((1, 0), (3, "Completed"))))
    status = message((8, message((1, "main"), (2, state), (4, 0), (5, 0))))
    found = decode(envelope("v1", "Pod", message((3, status))))
    [container] = found["status"]["containerStatuses"]
    assert container["ready"] is False and container["restartCount"] == 0
    assert container["state"]["terminated"] == {"exitCode": 0, "reason": "Completed"}


def test_embedded_messages_are_part_of_the_one_around_them() -> None:
    volume = message((1, "v"), (2, message((2, b""))))
    found = decode(envelope("v1", "Pod", message((2, message((1, volume))))))
    assert found["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_the_scalars_of_kubernetes_are_written_as_in_json() -> None:
    moment = message((1, 1_700_000_000), (2, 123_456_000))
    lease = decode(envelope("coordination.k8s.io/v1", "Lease", message((2, message((1, ""), (2, 15), (4, moment))))))
    assert lease["spec"] == {"holderIdentity": "", "leaseDurationSeconds": 15, "renewTime": "2023-11-14T22:13:20.123456Z"}
    ports = message((3, 80), (4, message((1, 1), (2, 0), (3, "http"))))
    service = decode(envelope("v1", "Service", message((2, message((1, ports), (1, message((3, -1), (4, message((2, 8080))))))))))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": "http"}, {"port": -1, "targetPort": 8080}]
    quota = decode(envelope("v1", "ResourceQuota", message((2, message((1, message((1, "cpu"), (2, message((1, "2"))))))))))
    assert quota["spec"]["hard"] == {"cpu": "2"}
    owned = message((17, message((1, "m"), (4, moment), (7, message((1, b'{"f:data":{}}'))))))
    assert decode(envelope("v1", "Secret", message((1, owned))))["metadata"]["managedFields"] == [
        {"manager": "m", "time": "2023-11-14T22:13:20Z", "fieldsV1": {"f:data": {}}}
    ]


def test_packed_and_single_numbers_are_one_list() -> None:
    security = message((14, message((4, 1), (4, b"\x02\x03"))))
    assert decode(envelope("v1", "Pod", message((2, security))))["spec"]["securityContext"] == {"supplementalGroups": [1, 2, 3]}


def test_fields_of_newer_clients_are_dropped() -> None:
    assert decode(envelope("v1", "Namespace", message((99, "new"), (1, message((1, "n"), (98, 1)))))) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "n"},
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\x00\xff\xff\xff",
        b"k8s\x00" + field(1, 3),
        b"k8s\x00" + field(1, b"\x0a\x02\xff\xfe"),
        envelope("v1", "Namespace", b"\x0a\x50abc"),
        envelope("v1", "Namespace", message((1, 7))),
        envelope("v1", "Namespace", message((1, message((1, b"\xff\xfe"))))),
        envelope("v1", "Namespace", message((1, message((7, "text"))))),
        envelope("v1", "Namespace", message((1, message((8, message((1, 2**62))))))),
        envelope("v1", "Namespace", message((1, message((17, message((7, message((1, b"{"))))))))),
        envelope("v1", "ConfigMap", field(2, b"") * (MAX_VALUES + 1)),
    ],
)
def test_hostile_bytes_are_refused_in_words(body: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        decode(body)
    assert str(refused.value)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (envelope("v1", "Node", b""), "Node in v1"),
        (envelope("", "", b""), "an object without a kind in no version"),
        (b"k8s\x00" + message((1, message((1, "v1"), (2, "Secret"))), (3, "gzip")), "itself encoded"),
        (envelope("v1", "Pod", message((2, message((1, message((2, message((3, "x"))))))))), "gcePersistentDisk"),
    ],
)
def test_what_is_sound_and_not_known_is_named(body: bytes, what: str) -> None:
    with pytest.raises(Unreadable, match=what):
        decode(body)


@given(st.binary(max_size=300), st.sampled_from([("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "Event"), ("batch/v1", "CronJob")]))
def test_any_bytes_are_an_object_or_a_refusal(raw: bytes, kind: tuple[str, str]) -> None:
    try:
        assert decode(envelope(*kind, raw))["kind"] == kind[1]
    except (Malformed, Unreadable) as error:
        assert str(error)


def test_text_is_utf8() -> None:
    assert text("ä".encode()) == "ä"
    with pytest.raises(Malformed):
        text(3)
