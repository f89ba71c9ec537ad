"""Answers that are no success, as exceptions a caller may name."""

import pytest

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.errors import AlreadyExists, ApiError, Busy, Conflict, Forbidden, Gone, NotFound, NotServed, Refused, error_of


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (429, "TooManyRequests", Busy),
        (500, "InternalError", Busy),
        (503, "", Busy),
        (400, "BadRequest", Refused),
        (401, "Unauthorized", Forbidden),
        (403, "Forbidden", Forbidden),
        (422, "Invalid", Refused),
    ],
)
def test_every_answer_has_its_exception(status: int, reason: str, kind: type[ApiError]) -> None:
    error = error_of(status, f'{{"reason": "{reason}", "message": "what happened", "details": {{"name": "web"}}}}'.encode())
    assert type(error) is kind
    assert (error.status, error.reason, str(error)) == (status, reason, "what happened")


def test_what_may_pass_is_transient_and_what_stays_is_terminal() -> None:
    for status in (409, 410, 429, 500):
        assert isinstance(error_of(status, b"{}"), Transient)
    for status in (400, 403, 422):
        assert isinstance(error_of(status, b"{}"), Terminal)
    assert not isinstance(error_of(404, b'{"details": {"name": "web"}}'), Transient | Terminal)


def test_only_a_busy_server_may_ask_us_to_wait() -> None:
    busy, refused = error_of(503, b"{}", "12"), error_of(422, b"{}", "12")
    assert isinstance(busy, Transient) and busy.retry_after == 12
    assert not hasattr(refused, "retry_after")
    unreadable = error_of(503, b"{}", "soon")
    assert isinstance(unreadable, Transient) and unreadable.retry_after is None


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff\xfe"])
def test_an_answer_of_another_kind_still_has_words(body: bytes) -> None:
    assert str(error_of(502, body)).startswith("HTTP 502")


UNKNOWN_PATH = b'{"kind": "Status", "reason": "NotFound", "message": "the server could not find the requested resource", "details": {}}'


@pytest.mark.parametrize("body", [b"404 page not found\n", b"", b"[]", b"{}", UNKNOWN_PATH])
def test_a_404_that_names_nothing_says_nothing_of_the_object(body: bytes) -> None:
    error = error_of(404, body)
    assert isinstance(error, NotServed) and isinstance(error, Transient) and not isinstance(error, NotFound)
