"""Bodies: JSON, YAML, and what a hostile or unreadable one is told."""

from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.bodies import decode, decode_object, failure_of, header, media_type
from reconciler_sandbox.apiserver.failures import BODY_LIMIT, Failure

YAML = {"content-type": "application/yaml"}


def code(headers: dict[str, str], body: bytes) -> int:
    with pytest.raises(Failure) as refused:
        decode_object(headers, body)
    return refused.value.code


def test_a_missing_content_type_is_json_and_no_body_is_nothing() -> None:
    assert decode({}, b'{"a":1}') == {"a": 1}
    assert decode({}, b" ") is None and decode_object({}, b"") == {}


def test_yaml_is_read_with_times_as_text() -> None:
    assert decode(YAML, b"a: 2026-01-01T00:00:00Z\nb: [1, true]") == {"a": "2026-01-01T00:00:00Z", "b": [1, True]}


def test_a_header_is_found_however_it_is_written() -> None:
    assert media_type({"Content-Type": "application/JSON; charset=utf-8"}) == "application/json"
    assert header({}, "accept") == ""


@pytest.mark.parametrize(("headers", "body"), [({"content-type": "application/vnd.kubernetes.protobuf"}, b"{}"), ({}, b"k8s\x00rest")])
def test_protobuf_is_refused_with_what_to_do_instead(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Failure, match=r"reads no protobuf; .*kubectl apply -f") as refused:
        decode(headers, body)
    assert refused.value.code == 415


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"{", 400),
        ({}, b"[]", 400),
        ({}, b'"text"', 400),
        ({}, b"\xff\xfe", 400),
        ({}, b'{"a":NaN}', 400),
        ({"content-type": "text/plain"}, b"{}", 415),
        ({}, b"x" * (BODY_LIMIT + 1), 413),
        ({}, b"[" * 200 + b"]" * 200, 400),
        ({}, b'{"a":' * 2_000 + b"1" + b"}" * 2_000, 400),
        (YAML, b"[" * 30_000, 400),
        (YAML, b"a: b: c", 400),
        (YAML, b"a: &x [" + b"y, " * 100 + b"]\n" + b"".join(b"k%d: [*x, *x, *x, *x]\n" % n for n in range(2000)), 400),
    ],
)
def test_a_bad_body_is_refused(headers: dict[str, str], body: bytes, expected: int) -> None:
    assert code(headers, body) == expected


def test_shared_nodes_cannot_blow_up() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert code(YAML, bomb.encode()) == 400


def test_a_large_flat_body_is_fine() -> None:
    assert len(decode({}, b'{"items":[' + b",".join([b"{}"] * 5_000) + b"]}")["items"]) == 5_000


def test_a_bug_is_an_internal_error() -> None:
    assert failure_of(ValueError("odd")).code == 500 and Path(__file__).name not in failure_of(ValueError("odd")).message
