"""Refusals of a forge as errors with the right thing to do."""

import pytest

from reconciler.forges.rest import ForgeNotFound, Invalid, Order, pause_of, refusal, words_of
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.web.client import HttpAnswer

ORDER = Order(method="POST", path="/repos/a/b/pulls", permission='"Pull requests: write"')
RESET = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000000100", "Date": "Sun, 09 Sep 2001 01:46:40 GMT"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Terminal),
        (403, Terminal),
        (404, ForgeNotFound),
        (422, Invalid),
        (409, Invalid),
        (307, Terminal),
        (408, Transient),
        (502, Transient),
    ],
)
def test_a_status_says_whether_to_try_again(status: int, kind: type[Exception]) -> None:
    error = refusal(ORDER, HttpAnswer(status, {}, b""), Redactor())
    assert type(error) is kind
    assert "/repos/a/b/pulls" in str(error)


def test_the_pause_of_a_limit_is_counted_on_the_servers_clock() -> None:
    error = refusal(ORDER, HttpAnswer(403, RESET, b'{"message": "API rate limit exceeded"}'), Redactor())
    assert isinstance(error, Transient)
    assert error.retry_after == 100.0


def test_a_limit_long_past_still_waits_a_second() -> None:
    assert pause_of(HttpAnswer(403, {**RESET, "X-RateLimit-Reset": "1"}, b""), "") == 1.0


def test_a_missing_right_is_no_limit() -> None:
    assert pause_of(HttpAnswer(403, {"X-RateLimit-Remaining": "10"}, b""), "Resource not accessible") is None


def test_the_words_are_one_bounded_line_with_the_field_errors() -> None:
    body = b'{"message": "Validation\\nFailed", "errors": [{"message": "No commits"}, {"code": 1}, "x", {"message": 2}]}'
    assert words_of(HttpAnswer(422, {}, body), Redactor()) == "Validation Failed No commits"
    assert len(words_of(HttpAnswer(422, {}, b'{"message": "' + b"x" * 9000 + b'"}'), Redactor())) == 300


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": 1, "errors": 2}'])
def test_other_bodies_have_no_words(body: bytes) -> None:
    assert words_of(HttpAnswer(500, {}, body), Redactor()) == ""


def test_a_forge_that_quotes_the_token_back_is_not_quoted() -> None:
    body = b'{"message": "bad token f0rge-t0ken\\u001b[2J and https://u:pass@h/"}'
    words = str(refusal(ORDER, HttpAnswer(401, {}, body), Redactor(("f0rge-t0ken",))))
    assert "bad token *****[2J" in words and "pass" not in words and "f0rge" not in words
