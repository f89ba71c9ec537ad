"""Credentials of a Git host."""

import base64

import pytest
from reconciler_sandbox.githost.access import ANONYMOUS, Access, Unauthenticated

USERS = {"bot": "b0t", "ann": "änn"}


def basic(user: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "user"),
    [
        (basic("bot", "b0t"), "bot"),
        (basic("x-access-token", "änn"), "ann"),
        ("Bearer b0t", "bot"),
        ("token b0t", "bot"),
    ],
)
def test_a_token_names_its_user(authorization: str, user: str) -> None:
    assert Access(USERS).identify(authorization) == user


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer nope", basic("ann", "b0t"), "Basic !!!", "Basic /w==", "Digest x", basic("", "")]
)
def test_anything_else_is_nobody(authorization: str | None) -> None:
    with pytest.raises(Unauthenticated):
        Access(USERS).identify(authorization)


def test_a_changed_token_replaces_the_old_one() -> None:
    access = Access(USERS)
    access.change_token("bot", "new")
    assert access.identify("Bearer new") == "bot"
    with pytest.raises(Unauthenticated, match="Bad credentials"):
        access.identify("Bearer b0t")


def test_only_writers_may_write() -> None:
    access = Access(USERS, ["bot"])
    assert access.may_write("bot")
    assert not access.may_write("ann")
    assert Access(USERS).may_write("ann")


def test_a_host_without_users_is_open() -> None:
    assert Access({}).identify(None) == ANONYMOUS
    assert Access({}).may_write(ANONYMOUS)
