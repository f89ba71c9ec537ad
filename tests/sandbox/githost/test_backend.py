"""The CGI bridge: which requests are git's, and what the backend is told."""

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from reconciler_sandbox.githost.backend import GitCall, find_program, git_call, variables


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/shop/manifests.git/info/refs?service=git-upload-pack", GitCall("shop/manifests", "info/refs", False)),
        ("/shop/manifests/info/refs?service=git-receive-pack", GitCall("shop/manifests", "info/refs", True)),
        ("/shop/manifests.git/git-receive-pack", GitCall("shop/manifests", "git-receive-pack", True)),
        ("/shop/a.b.git/git-upload-pack", GitCall("shop/a.b", "git-upload-pack", False)),
        ("/shop/manifests.git/info/refs", None),
        ("/shop/manifests.git/info/refs?service=git-shell", None),
        ("/shop/manifests.git/objects/info/packs", None),
        ("/shop/manifests.git/HEAD", None),
        ("/a/b/c.git/git-upload-pack", None),
    ],
)
def test_only_smart_http_is_gits(path: str, expected: GitCall | None) -> None:
    assert git_call(make_mocked_request("GET", path)) == expected


def test_the_backend_is_told_what_cgi_needs(tmp_path: Path) -> None:
    headers = {"Git-Protocol": "version=2", "Content-Encoding": "gzip", "Content-Type": "t", "Content-Length": "3"}
    request = make_mocked_request("POST", "/shop/manifests/git-upload-pack?x=1", headers=headers)
    told = variables(request, tmp_path, GitCall("shop/manifests", "git-upload-pack", False), "ann")
    expected = {
        "GIT_PROJECT_ROOT": str(tmp_path),
        "PATH_INFO": "/shop/manifests.git/git-upload-pack",
        "QUERY_STRING": "x=1",
        "REQUEST_METHOD": "POST",
        "REMOTE_USER": "ann",
        "GIT_PROTOCOL": "version=2",
        "HTTP_CONTENT_ENCODING": "gzip",
        "CONTENT_TYPE": "t",
    }
    assert expected.items() <= told.items()
    assert "CONTENT_LENGTH" not in told


async def test_the_program_is_on_this_machine() -> None:
    program = Path(await find_program())
    assert program.name == "git-http-backend"
    assert await asyncio.to_thread(program.is_file)
