"""Who we are at AWS: signatures as AWS publishes them, and the chain of credentials that a pod has."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from reconciler.aws.credentials import Aws
from reconciler.aws.signing import Keys, SigningScope, signed
from reconciler.kernel.errors import Terminal
from reconciler.web.client import HttpCall, ask, open_client
from tests.kit.analysis import endpoint
from tests.kit.providers import AWS
from tests.kit.signatures import Request, genuine

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LATER = "2026-11-25T18:00:00Z"


def granted(action: str, name: str, until: str) -> str:
    """What STS answers; the secret has a sign that XML escapes."""
    keys = f"<AccessKeyId>{name}</AccessKeyId><SecretAccessKey>s&amp;{name}</SecretAccessKey><SessionToken>t-{name}</SessionToken>"
    credentials = f"<Credentials>{keys}<Expiration>{until}</Expiration></Credentials>"
    space = "https://sts.amazonaws.com/doc/2011-06-15/"
    return f'<{action}Response xmlns="{space}"><{action}Result>{credentials}</{action}Result></{action}Response>'


def test_a_signature_is_the_one_that_aws_publishes() -> None:
    """The example of its documentation of Signature Version 4."""
    keys = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    call = HttpCall(method="GET", url="https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", headers=form)
    told = signed(call, keys, SigningScope("us-east-1", "iam"), datetime(2015, 8, 30, 12, 36, tzinfo=UTC)).headers["Authorization"]
    assert told.endswith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")


def test_a_signature_is_over_the_body_too() -> None:
    """The case `post-x-www-form-urlencoded` of the suite that AWS publishes."""
    keys = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    call = HttpCall(method="POST", url="https://example.amazonaws.com/", headers=form, body=b"Param1=value1")
    told = signed(call, keys, SigningScope("us-east-1", "service"), datetime(2015, 8, 30, 12, 36, tzinfo=UTC)).headers["Authorization"]
    assert told.endswith("Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")


async def test_a_role_is_assumed_once_until_its_keys_end() -> None:
    async with endpoint() as server, open_client() as http:
        soon, later = ((NOW + timedelta(minutes=m)).isoformat() for m in (60, 120))
        server.answer_in_turn("/", granted("AssumeRole", "ONE", soon), granted("AssumeRole", "TWO", later))
        aws = Aws(partial(ask, http), {**AWS, "AWS_ENDPOINT_URL_STS": server.url})
        first = await aws.keys("eu-west-1", "arn:aws:iam::1:role/r", NOW)
        assert (first.identity, first.secret, first.token) == ("ONE", "s&ONE", "t-ONE")
        assert await aws.keys("eu-west-1", "arn:aws:iam::1:role/r", NOW + timedelta(minutes=54)) is first
        assert (await aws.keys("eu-west-1", "arn:aws:iam::1:role/r", NOW + timedelta(minutes=56))).identity == "TWO"
        assert genuine(Request(*server.requests[0]), server.url, Keys("AKIDEXAMPLE", "aws-hunter2")) == ("eu-west-1", "sts")
        assert parse_qs(server.requests[0][3])["RoleArn"] == ["arn:aws:iam::1:role/r"]


async def test_the_role_of_a_service_account_is_taken_by_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("web-hunter2\n")
    async with endpoint() as server, open_client() as http:
        server.answer("/", granted("AssumeRoleWithWebIdentity", "POD", (NOW + timedelta(hours=1)).isoformat()))
        told = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_ENDPOINT_URL": server.url}
        told["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(tmp_path / "token")
        assert (await Aws(partial(ask, http), told).keys("eu-west-1", "", NOW)).identity == "POD"
        form = parse_qs(server.requests[0][3])
        assert form["Action"] == ["AssumeRoleWithWebIdentity"] and form["WebIdentityToken"] == ["web-hunter2"]
        assert "Authorization" not in server.requests[0][2]


async def test_the_agent_of_a_node_gives_keys_for_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod-hunter2")
    async with endpoint() as server, open_client() as http:
        server.answer("/v1", {"AccessKeyId": "N", "SecretAccessKey": "s", "Token": "t", "Expiration": "2026-11-25T18:00:00Z"})
        told = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/v1", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}
        assert (await Aws(partial(ask, http), told).keys("eu-west-1", "", NOW)).identity == "N"
        assert server.requests[0][2]["Authorization"] == "pod-hunter2"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<AccessKeyId>a</AccessKeyId>",
        granted("AssumeRole", "A", "soon"),
        granted("AssumeRoleWithWebIdentity", "A", LATER),
        granted("AssumeRole", "", LATER),
        granted("AssumeRole", "A", LATER).replace("Credentials>", "Other>"),
        "\x00",
        "[]",
    ],
)
async def test_credentials_in_another_form_are_an_error_without_a_secret(body: str) -> None:
    async with endpoint() as server, open_client() as http:
        server.answer("/", body)
        with pytest.raises(Terminal, match=r"^aws: (credentials were|AssumeRole was) answered") as told:
            await Aws(partial(ask, http), {**AWS, "AWS_ENDPOINT_URL": server.url}).keys("eu-west-1", "arn", NOW)
        assert "hunter2" not in str(told.value)


async def test_a_refusal_says_code_and_words_and_no_token_that_it_repeats(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("web-hunter2-web-hunter2")
    async with endpoint() as server, open_client() as http:
        said = "<Code>InvalidIdentityToken</Code><Message>no\n provider for web-hunter2-web-hunter2</Message>"
        server.answer("/", f"<ErrorResponse><Error>{said}</Error></ErrorResponse>", 400)
        told = {"AWS_ROLE_ARN": "arn", "AWS_ENDPOINT_URL": server.url, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
        words = r"aws: AssumeRoleWithWebIdentity answered 400: InvalidIdentityToken: no provider for \*+$"
        with pytest.raises(Terminal, match=words):
            await Aws(partial(ask, http), told).keys("eu-west-1", "", NOW)
