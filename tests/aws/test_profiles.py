"""Files of profiles: whose keys they give, what is refused, and that nothing of them is quoted."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from reconciler.aws.credentials import Aws
from reconciler.aws.profiles import find_profile
from reconciler.aws.signing import Keys
from reconciler.kernel.errors import Terminal
from reconciler.web.client import ask, open_client
from tests.aws.test_credentials import granted
from tests.kit.analysis import endpoint
from tests.kit.providers import AWS
from tests.kit.signatures import Request, genuine

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SHARED = """\
[default]
aws_access_key_id = DEFAULT
aws_secret_access_key = default-hunter2
[shop]
aws_access_key_id = SHOP
aws_secret_access_key = shop-hunter2
aws_session_token = shop-token
"""
CONFIG = """\
[profile judge]
role_arn = arn:aws:iam::1:role/judge
source_profile = shop
external_id = x-1
[profile again]
role_arn = arn:aws:iam::1:role/again
source_profile = judge
[profile pod]
role_arn = arn:aws:iam::1:role/pod
web_identity_token_file = TOKEN
[profile ring]
role_arn = arn:aws:iam::1:role/ring
source_profile = ring
[profile program]
credential_process = /bin/echo hunter2
[profile browser]
sso_session = s
[profile empty]
region = eu-west-1
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(SHARED)
    (tmp_path / "token").write_text("web-hunter2")
    (tmp_path / "config").write_text(CONFIG.replace("TOKEN", str(tmp_path / "token")))
    return {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")}


async def test_the_default_profile_is_used_where_the_environment_has_no_keys_and_a_named_one_before_them(files: dict[str, str]) -> None:
    async with open_client() as http:
        send = partial(ask, http)
        assert (await Aws(send, files).keys("eu-west-1", "", NOW)).identity == "DEFAULT"
        assert (await Aws(send, {**files, **AWS}).keys("eu-west-1", "", NOW)).identity == "AKIDEXAMPLE"
        assert (await Aws(send, {**files, **AWS, "AWS_PROFILE": "shop"}).keys("eu-west-1", "", NOW)).token == "shop-token"
        assert (await Aws(send, {**files, **AWS}).keys("eu-west-1", "", NOW, "shop")).secret == "shop-hunter2"


async def test_a_role_is_assumed_with_the_keys_of_its_source(files: dict[str, str]) -> None:
    async with endpoint() as server, open_client() as http:
        server.answer("/", granted("AssumeRole", "ROLE", "2026-11-25T18:00:00Z"))
        aws = Aws(partial(ask, http), {**files, "AWS_ENDPOINT_URL": server.url})
        assert (await aws.keys("eu-west-1", "", NOW, "judge")).identity == "ROLE"
        asked = parse_qs(server.requests[0][3])
        assert (asked["RoleArn"], asked["ExternalId"]) == (["arn:aws:iam::1:role/judge"], ["x-1"])
        assert genuine(Request(*server.requests[0]), server.url, Keys("SHOP", "shop-hunter2", "shop-token")) == ("eu-west-1", "sts")
        assert (await aws.keys("eu-west-1", "", NOW, "judge")).identity == "ROLE" and len(server.requests) == 1
        await aws.keys("eu-west-1", "", NOW, "again")
        assert [parse_qs(request[3])["RoleArn"][0][-5:] for request in server.requests[1:]] == ["judge", "again"]


async def test_a_role_is_taken_by_a_token_in_a_file(files: dict[str, str]) -> None:
    async with endpoint() as server, open_client() as http:
        server.answer("/", granted("AssumeRoleWithWebIdentity", "POD", "2026-11-25T18:00:00Z"))
        aws = Aws(partial(ask, http), {**files, "AWS_ENDPOINT_URL": server.url})
        assert (await aws.keys("eu-west-1", "", NOW, "pod")).identity == "POD"
        assert parse_qs(server.requests[0][3])["WebIdentityToken"] == ["web-hunter2"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nobody", "no profile 'nobody'"),
        ("program", "credential_process is not served"),
        ("browser", "sso_session is not served"),
        ("empty", "it has no keys"),
        ("ring", "back to itself"),
    ],
)
async def test_what_cannot_be_used_is_said_and_nothing_is_started_or_asked(files: dict[str, str], name: str, words: str) -> None:
    async with open_client() as http:
        with pytest.raises(Terminal, match=words):
            await Aws(partial(ask, http), files).keys("eu-west-1", "", NOW, name)


BROKEN = (b"aws_secret_access_key = hunter2", b"[a\nhunter2", b"\xff\xfe hunter2", b"[default]\n= hunter2\n" + b"x" * (2 << 20))


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_is_none_is_named_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "credentials"
    file.write_bytes(content)
    with pytest.raises(Terminal) as told:
        find_profile({"AWS_SHARED_CREDENTIALS_FILE": str(file)}, "default")
    assert str(file) in str(told.value) and "hunter2" not in str(told.value)


def test_without_files_there_is_no_profile(tmp_path: Path) -> None:
    assert find_profile({"HOME": str(tmp_path)}, "default") is None
    assert find_profile({}, "default") is None
