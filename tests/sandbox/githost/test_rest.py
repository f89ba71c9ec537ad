"""The REST API as a whole: who may call, limits, ETags, unknown paths and broken bodies."""

from pathlib import Path

import pytest
from reconciler_sandbox.githost.rest import find, pattern

from tests.kit.githost import REPO, api, git_host


def test_a_template_becomes_an_expression() -> None:
    match = pattern("/repos/{repo}/branches/{branch*}").fullmatch("/repos/a/b/branches/feature/x")
    assert match is not None
    assert match.groupdict() == {"repo": "a/b", "branch": "feature/x"}
    assert pattern("/pulls/{number#}").fullmatch("/pulls/x") is None


def test_words_in_a_path_are_unquoted() -> None:
    assert find("GET", "/repos/a/b/commits/very%20bad/status")[1]["ref"] == "very bad"


@pytest.mark.parametrize(("token", "message"), [("", "Requires authentication"), ("Bearer wrong", "Bad credentials")])
async def test_a_call_needs_credentials(tmp_path: Path, token: str, message: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        response = await client.get("user", headers={"Authorization": token})
        assert (response.status_code, response.json()["message"]) == (401, message)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("DELETE", "user"),
        ("GET", "repos/shop/nothing"),
        ("GET", f"repos/{REPO}/pulls/7"),
        ("GET", f"repos/{REPO}/issues/7/comments"),
        ("PATCH", f"repos/{REPO}/issues/comments/7"),
        ("GET", f"repos/{REPO}/branches/main"),
    ],
)
async def test_what_is_unknown_is_404_in_githubs_words(tmp_path: Path, method: str, path: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        response = await client.request(method, path)
        assert response.status_code == 404
        assert set(response.json()) == {"message", "documentation_url", "status"}


@pytest.mark.parametrize("body", ["{", "[]", '"x"'])
async def test_a_body_that_is_no_object_is_400(tmp_path: Path, body: str) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        assert (await client.post(f"repos/{REPO}/pulls", content=body)).status_code == 400


async def test_an_unchanged_answer_is_304_and_free(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        first = await client.get(f"repos/{REPO}/pulls")
        again = await client.get(f"repos/{REPO}/pulls", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.headers["x-ratelimit-remaining"] == again.headers["x-ratelimit-remaining"] == "4999"
        assert (await client.get("user")).headers["x-ratelimit-used"] == "2"


async def test_over_the_limit_every_call_is_refused_with_its_reset(tmp_path: Path) -> None:
    async with git_host(tmp_path, rate_limit=1) as host, api(host) as client:
        assert (await client.get("user")).status_code == 200
        refused = await client.get("user")
        assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
        assert int(refused.headers["x-ratelimit-reset"]) > 0
        assert "rate limit exceeded" in refused.json()["message"]
        async with api(host, "ann") as other:
            assert (await other.get("user")).status_code == 200
