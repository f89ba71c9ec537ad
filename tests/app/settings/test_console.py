"""`console.login` of `reconciler.yaml`: who is let in, strictly."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.app.settings.manifest import parse_settings
from reconciler.app.settings.model import ConsoleSettings, LoginSettings, OpenIdSettings, RoleSettings
from reconciler.kernel.strict import FieldError

URL = "https://console.example.com"
OPENID = {"issuer": "https://id.example.com/realms/ops", "clientId": "console"}
ROLES = [{"group": "sre", "role": "releaser", "namespaces": ["shop"]}, {"group": "platform", "role": "admin"}]
LOGIN: dict[str, Any] = {"openid": OPENID, "roles": ROLES}


def console(**fields: Any) -> ConsoleSettings:
    found = parse_settings({"console": fields}).console
    assert found is not None
    return found


def refused(**fields: Any) -> str:
    with pytest.raises(FieldError) as caught:
        console(**fields)
    return str(caught.value)


def test_a_login_is_read() -> None:
    found = console(url=URL, listen="0.0.0.0:8091", login={**LOGIN, "token": True, "session": "30m"})
    scopes = ("openid", "profile", "email", "groups")
    assert found.login == LoginSettings(
        session=timedelta(minutes=30),
        openid=OpenIdSettings(issuer=OPENID["issuer"], client="console", scopes=scopes),
        token=True,
        roles=(RoleSettings(group="sre", role="releaser", namespaces=("shop",)), RoleSettings(group="platform", role="admin")),
    )
    assert found.anonymous is False


@pytest.mark.parametrize("listen", ["0.0.0.0:8091", "10.0.0.7:8091", "[::]:8091", "console.example.com:8091"])
def test_others_than_this_machine_look_only_if_that_is_written(listen: str) -> None:
    assert refused(listen=listen).startswith("console.listen: lets others than this machine in")
    assert console(listen=listen, anonymous=True).login is None
    for own in ("127.0.0.1:8091", "[::1]:8091", "localhost:8091", ":8091"):
        assert console(listen=own).anonymous is False


@pytest.mark.parametrize(
    ("login", "field"),
    [
        ({"roles": ROLES}, "console.login.openid"),
        ({"openid": OPENID}, "console.login.roles"),
        ({**LOGIN, "roles": [{"group": "sre", "role": "god"}]}, "console.login.roles[0].role"),
        ({**LOGIN, "roles": [{"group": "", "role": "viewer"}]}, "console.login.roles[0].group"),
        ({**LOGIN, "roles": [{"group": "a", "role": "viewer", "namespaces": ["*"]}]}, "console.login.roles[0].namespaces"),
        ({**LOGIN, "openid": {**OPENID, "issuer": "http://id.example.com"}}, "console.login.openid.issuer"),
        ({**LOGIN, "openid": {**OPENID, "scopes": ["email"]}}, "console.login.openid.scopes"),
        ({**LOGIN, "openid": {**OPENID, "secret": "x"}}, "console.login.openid.secret"),
    ],
)
def test_what_is_wrong_in_a_login_is_named(login: dict[str, Any], field: str) -> None:
    assert refused(url=URL, login=login).startswith(field)


@pytest.mark.parametrize("url", ["", "http://console.example.com"])
def test_a_login_needs_an_address_on_which_nobody_reads_its_cookies(url: str) -> None:
    assert refused(login=LOGIN, **({"url": url} if url else {})).startswith("console.url: must be the https:// address")
    assert console(login=LOGIN, url="http://127.0.0.1:8091").login is not None
