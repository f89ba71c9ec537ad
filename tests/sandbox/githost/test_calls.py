"""One parsed call: its fields and the caller's rights."""

from typing import Any

import pytest
from reconciler_sandbox.githost.access import Access
from reconciler_sandbox.githost.answers import Refusal
from reconciler_sandbox.githost.calls import Call
from yarl import URL


def call(body: dict[str, Any] | None = None, user: str = "bot") -> Call:
    access = Access({"bot": "t", "ann": "u"}, ["bot"])
    return Call(site="", url=URL("http://h/"), user=user, access=access, hosted=None, params={}, body=body or {})


def test_a_text_is_taken_from_the_body_or_from_the_default() -> None:
    assert call({"title": "t"}).text("PullRequest", "title") == "t"
    assert call().text("PullRequest", "body", default="") == ""


@pytest.mark.parametrize("body", [{}, {"title": 1}, {"title": "xxxxx"}])
def test_a_missing_wrong_or_long_text_is_422(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        call(body).text("PullRequest", "title", largest=4)
    assert caught.value.reply.status == 422


def test_only_writers_pass() -> None:
    call().require_write("contents=write")
    with pytest.raises(Refusal) as caught:
        call(user="ann").require_write("contents=write")
    assert caught.value.reply.headers == {"X-Accepted-GitHub-Permissions": "contents=write"}


def test_without_a_repository_there_is_no_project() -> None:
    with pytest.raises(Refusal):
        _ = call().project
