"""The shape of GitHub's answers."""

import json

import pytest
from reconciler_sandbox.githost.answers import Refusal, Reply, invalid, missing, page, written
from yarl import URL

URL_OF_LIST = URL("http://h/api/v3/repos/a/b/pulls?state=all")


def test_a_single_page_has_no_links() -> None:
    assert page([1, 2], URL_OF_LIST) == Reply(200, [1, 2], {})


def test_the_first_page_links_to_the_next_and_last() -> None:
    reply = page(range(65), URL_OF_LIST)
    assert reply.document == list(range(30))
    assert reply.headers["Link"] == (
        '<http://h/api/v3/repos/a/b/pulls?state=all&page=2&per_page=30>; rel="next", '
        '<http://h/api/v3/repos/a/b/pulls?state=all&page=3&per_page=30>; rel="last"'
    )


def test_the_last_page_links_back() -> None:
    reply = page(range(65), URL_OF_LIST.update_query(page="3"))
    assert reply.document == list(range(60, 65))
    assert 'rel="prev"' in reply.headers["Link"]
    assert 'rel="next"' not in reply.headers["Link"]


@pytest.mark.parametrize(("query", "size"), [("1000", 100), ("0", 1), ("x", 30), ("", 30), ("-5", 30)])
def test_the_size_of_a_page_is_bounded(query: str, size: int) -> None:
    assert len(page(range(500), URL_OF_LIST.update_query(per_page=query)).document) == size


def test_refusals_have_githubs_body() -> None:
    assert missing().reply.document == {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
    refused = invalid("Status", "state", code="invalid").reply
    assert (refused.status, refused.document["errors"]) == (422, [{"resource": "Status", "field": "state", "code": "invalid"}])
    assert Refusal(403, "No", headers={"X-A": "1"}).reply.headers == {"X-A": "1"}


def test_an_unchanged_answer_is_304() -> None:
    first = written(Reply(200, {"a": 1}), None)
    assert json.loads(first.body) == {"a": 1}  # type: ignore[arg-type]
    again = written(Reply(200, {"a": 1}), first.headers["ETag"])
    assert (again.status, again.body) == (304, None)
    assert written(Reply(200, {"a": 2}), first.headers["ETag"]).status == 200


def test_an_empty_answer_has_no_body() -> None:
    assert written(Reply(204), None).body is None
