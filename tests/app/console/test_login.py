"""Who may: a real OpenID Connect login, tokens of the cluster, roles by group and namespace, and writes as the person who pressed."""

import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from reconciler.app.console.login import LoginDoor, onward
from reconciler.app.console.serving import door_of, looking_only
from reconciler.app.settings.model import ConsoleSettings, LoginSettings, OpenIdSettings, RoleSettings
from reconciler.kernel.resources import RELEASES, ROLLOUTS
from reconciler.web.client import open_client
from tests.kit.consoles import Served, SteppedClock, Troubled, serving
from tests.kit.openid import CLIENT, SECRET, IdentityProvider, Reviewing, identity_provider

URL = "http://127.0.0.1:8091"
ABORT = "/rollouts/shop/storefront/press/abort"
TOKEN = re.compile(r'name="token" value="([^"]+)"')
ROLES = (
    RoleSettings(group="sre", role="releaser", namespaces=("shop",)),
    RoleSettings(group="payers", role="viewer", namespaces=("pay",)),
    RoleSettings(group="lookers", role="viewer"),
    RoleSettings(group="platform", role="admin"),
)


@dataclass
class Guarded:
    """A console with a login, its provider and its cluster, and a browser that keeps cookies."""

    console: Served
    provider: IdentityProvider
    cluster: Reviewing
    door: LoginDoor
    http: httpx.AsyncClient

    async def look(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)

    async def begun(self, onward: str = "/") -> tuple[str, dict[str, str]]:
        """Where the provider sends the browser back to, without going there."""
        begin = await self.http.get("/login/openid", params={"next": onward})
        assert begin.status_code == 303, begin.text
        async with httpx.AsyncClient(trust_env=False) as elsewhere:
            back = (await elsewhere.get(begin.headers["Location"])).headers["Location"]
        parts = urlsplit(back)
        return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}

    async def log_in(self, **claims: Any) -> httpx.Response:
        self.provider.claims |= claims
        path, query = await self.begun()
        return await self.http.get(path, params=query)

    async def press(self, path: str) -> httpx.Response:
        page = await self.look(path)
        found = TOKEN.search(page.text)
        assert found, page.text
        return await self.http.post(path, data={"token": unescape(found[1]), "why": "500s"})

    async def aborted(self) -> bool:
        found = await self.console.cluster.client.get(ROLLOUTS, "shop", "storefront")
        return bool(found["status"].get("abort"))


@asynccontextmanager
async def guarded(tmp_path: Path, **changes: Any) -> AsyncIterator[Guarded]:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    async with identity_provider() as provider, open_client() as http:
        openid = OpenIdSettings(issuer=provider.address, client=CLIENT, secret_file=str(secret), scopes=("openid", "groups"))
        login = LoginSettings(session=timedelta(hours=1), openid=openid, token=True, roles=ROLES)
        settings = replace(ConsoleSettings(listen="127.0.0.1:8091", url=URL, login=login), **changes)
        made: list[tuple[Reviewing, LoginDoor]] = []

        def opened(transport: Troubled, clock: SteppedClock) -> LoginDoor:
            cluster = Reviewing(transport, allowed={("sre", "shop"), ("platform", "shop"), ("platform", "")})
            door = door_of(cluster, clock, settings, http)
            assert isinstance(door, LoginDoor)
            made.append((cluster, door))
            return door

        async with serving(opened=opened) as console, httpx.AsyncClient(base_url=console.address, trust_env=False) as browser:
            yield Guarded(console, provider, *made[0], browser)


async def test_a_releaser_logs_in_aborts_and_it_is_written_as_theirs(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        led = await one.look("/rollouts/shop/storefront")
        assert (led.status_code, led.headers["Location"]) == (303, "/login?next=%2Frollouts%2Fshop%2Fstorefront")
        assert "/login/openid?next=%2Frollouts%2Fshop%2Fstorefront" in (await one.look(led.headers["Location"])).text
        path, query = await one.begun("/rollouts/shop/storefront")
        back = await one.http.get(path, params=query)
        assert (back.status_code, back.headers["Location"]) == (303, "/rollouts/shop/storefront")
        cookie = back.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "ann@example.com" not in cookie
        page = (await one.look("/rollouts/shop/storefront")).text
        assert "You are <b>ann@example.com</b>" in page and f'href="{ABORT}"' in page
        assert (await one.press(ABORT)).status_code == 303 and await one.aborted()
        assert {who for _, who, _ in one.cluster.wrote} == {"ann@example.com"} and one.cluster.wrote[0][2] == ("sre",)
        releases = await one.console.cluster.client.list(RELEASES, "shop")
        assert [press["by"] for release in releases for press in release["status"].get("presses") or ()] == ["ann@example.com"]


async def test_a_viewer_sees_and_is_refused_every_verb(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["lookers"])
        page = await one.look("/rollouts/shop/storefront")
        assert page.status_code == 200 and "/press/" not in page.text
        asked = await one.look(ABORT)
        assert asked.status_code == 403 and "needs the role releaser in namespace shop, and you have viewer" in asked.text
        assert (await one.http.post(ABORT, data={"token": "x"})).status_code == 403 and not await one.aborted()


async def test_a_role_in_one_namespace_shows_nothing_of_another(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["payers"])
        for path in ("/", "/?format=json", "/holds", "/sources", "/policies", "/policies?format=json"):
            text = (await one.look(path)).text
            assert "storefront" not in text and "checkout" not in text, path
        assert "ledger" in (await one.look("/")).text and "Your role is for pay" in (await one.look("/sources")).text
        for path in ("/rollouts/shop/storefront", "/releases/shop/checkout-77b1e0aa-51c2d3e", "/rollouts/shop/cart/history"):
            assert (await one.look(path)).status_code == 404, path
        assert (await one.look("/rollouts/pay/ledger")).status_code == 200


async def test_who_has_no_role_sees_nothing(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["guests"])
        page = await one.look("/")
        assert page.status_code == 200 and "storefront" not in page.text and "Your role is for no namespace" in page.text


async def test_freezing_is_for_admins(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["sre"])
        assert (await one.look("/freeze/press/freeze")).status_code == 403
        await one.log_in(groups=["platform"])
        assert (await one.press("/freeze/press/freeze")).status_code == 303
        assert [path for path, _, _ in one.cluster.wrote] == ["/api/v1/namespaces/reconciler"]


async def test_without_a_login_programs_and_streams_are_told_so(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        for path in ("/", "/holds", "/releases/shop/x"):
            asked = await one.look(path, Accept="application/json")
            assert asked.status_code == 401 and asked.json() == {"problem": "log in first"}
        assert (await one.look("/live?of=/")).status_code == 401
        assert (await one.http.post(ABORT, data={"token": "x"})).status_code == 401


async def test_anonymous_viewing_is_there_only_if_it_is_written(tmp_path: Path) -> None:
    async with guarded(tmp_path, anonymous=True) as one:
        page = await one.look("/rollouts/shop/storefront")
        assert page.status_code == 200 and "/press/" not in page.text and 'href="/login"' in page.text
        assert (await one.look(ABORT)).status_code == 403


async def test_an_expired_session_is_no_login(tmp_path: Path) -> None:
    login = LoginSettings(session=timedelta(seconds=0), token=True, roles=ROLES)
    async with guarded(tmp_path, login=login) as one:
        one.cluster.people["good"] = ("bo", ["sre"])
        assert (await one.http.post("/login/token", data={"token": "good"})).status_code == 303
        assert (await one.look("/")).headers["Location"] == "/login?next=%2F"


async def test_logging_out_ends_the_session_everywhere(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in()
        kept = dict(one.http.cookies)
        assert (await one.http.post("/logout")).headers["Location"] == "/login"
        async with httpx.AsyncClient(base_url=one.console.address, trust_env=False, cookies=kept) as copy:
            assert (await copy.get("/")).status_code == 303


async def test_a_group_that_was_revoked_counts_no_more_at_the_next_verb(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["sre"])
        one.provider.claims["groups"] = ["lookers"]
        refused = await one.press(ABORT)
        assert refused.status_code == 403 and "do not give the role releaser there any more" in refused.text
        assert not await one.aborted() and "/press/" not in (await one.look("/rollouts/shop/storefront")).text


async def test_a_login_that_the_provider_took_back_ends(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in()
        one.provider.forgotten = True
        refused = await one.press(ABORT)
        assert refused.status_code == 403 and "does not know this login any more" in refused.text
        assert not await one.aborted() and (await one.look("/")).status_code == 303


async def test_a_provider_that_is_away_lets_nobody_in_and_stops_no_abort(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in()
        one.provider.away = True
        assert (await one.press(ABORT)).status_code == 303 and await one.aborted()
    async with guarded(tmp_path) as other:
        other.provider.away = True
        away = await other.look("/login/openid")
        assert away.status_code == 503 and "identity provider" in away.text and "Not logged in" in away.text


async def test_a_role_of_ours_is_no_right_of_the_cluster(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["sre"])
        one.cluster.allowed.clear()
        refused = await one.press(ABORT)
        assert refused.status_code == 403 and "does not let ann@example.com patch rollouts.argoproj.io/status" in refused.text
        assert not await one.aborted() and one.cluster.wrote == []


async def test_forged_state_is_refused(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        path, query = await one.begun()
        for state in ("", "forged", query["state"][:-1]):
            refused = await one.http.get(path, params={**query, "state": state})
            assert refused.status_code == 403 and "(state)" in refused.text
        one.http.cookies.clear()
        assert (await one.http.get(path, params=query)).status_code == 403, "the login of another browser"
        assert "/token" not in one.provider.asked


async def test_a_stranger_with_forged_logins_keeps_nobody_out(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        for _ in range(10):
            assert (await one.look("/login/callback?state=forged&code=x")).status_code == 403
        assert (await one.log_in()).status_code == 303


async def test_a_code_is_good_once_and_only_with_its_verifier(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one, guarded(tmp_path) as other:
        path, query = await one.begun()
        stolen_path, stolen = await other.begun()
        one.provider.codes["stolen"] = one.provider.codes.pop(query["code"]) | {"code_challenge": "x" * 43}
        refused = await one.http.get(path, params={**query, "code": "stolen"})
        assert refused.status_code == 403 and "invalid_grant" in refused.text and stolen_path == path and stolen


def forged(provider: IdentityProvider, nonce: str) -> dict[str, tuple[str, str]]:
    """Identity tokens that may not count, and the word that says why."""
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    unknown = RSAKey.generate_key(2048, {"kid": "two"})
    good = json.loads(_part(provider.signed(nonce)))
    shared = OctKey.import_key(json.dumps(provider.key.as_dict(private=False)))
    return {
        "another key": (jwt.encode({"alg": "RS256", "kid": "one"}, dict(good), stranger), "forged"),
        "an unknown key": (jwt.encode({"alg": "RS256", "kid": "two"}, dict(good), unknown), "does not publish"),
        "a shared secret": (jwt.encode({"alg": "HS256", "kid": "one"}, dict(good), shared), "(alg)"),
        "no signature": ("eyJhbGciOiJub25lIn0." + provider.signed(nonce).split(".")[1] + ".", "(alg)"),
        "another nonce": (provider.signed("other"), "(nonce)"),
        "no nonce": (provider.signed(nonce, nonce=None), "(nonce)"),
        "another issuer": (provider.signed(nonce, iss="https://evil.example.com"), "another issuer"),
        "another client": (provider.signed(nonce, aud="other"), "(aud)"),
        "two clients": (provider.signed(nonce, aud=[CLIENT, "other"]), "(azp)"),
        "another party": (provider.signed(nonce, azp="other"), "(azp)"),
        "no person": (provider.signed(nonce, sub=None), "(sub)"),
        "no name": (provider.signed(nonce, email=None), "claim email is missing"),
        "an address that may be anybody's": (provider.signed(nonce, email_verified=False), "has not verified"),
        "a name of the cluster": (provider.signed(nonce, email="system:admin"), "no provider may give it"),
        "an end long ago": (provider.signed(nonce, exp=good["iat"] - 4000), "ended"),
        "no end": (provider.signed(nonce, exp=None), "(exp)"),
        "a beginning to come": (provider.signed(nonce, nbf=good["iat"] + 4000), "from the future"),
        "noise": ("a.b.c", "cannot be read"),
    }


def _part(token: str) -> str:
    body = token.split(".")[1]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


async def test_every_token_that_may_not_count_is_refused_by_name(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        names = list(forged(one.provider, "n"))
        for name in names:
            path, query = await one.begun()
            one.provider.token, words = forged(one.provider, one.provider.codes[query["code"]]["nonce"])[name]
            one.console.later()
            refused = await one.http.get(path, params=query)
            assert refused.status_code == 403 and words in refused.text, (name, refused.text)
            assert (await one.look("/")).status_code == 303, name
        one.provider.token = ""
        one.console.clock.passed += 1000
        assert (await one.log_in()).status_code == 303


@pytest.mark.parametrize(("ahead", "status"), [(45.0, 303), (-320.0, 303), (600.0, 403), (-600.0, 403)])
async def test_clocks_may_differ_by_a_minute_and_more_is_said(ahead: float, status: int, tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        one.provider.ahead = ahead
        back = await one.log_in()
        assert back.status_code == status
        if status == 403:
            word, seconds = ("from the future", "600 s") if ahead > 0 else ("compare the clocks", "300 s")
            assert word in back.text and seconds in back.text


async def test_keys_that_the_provider_changed_are_learned_and_no_stranger_makes_us_ask_again(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        assert (await one.log_in()).status_code == 303
        one.provider.key = RSAKey.generate_key(2048, {"kid": "next"})
        assert (await one.log_in()).status_code == 403, "asked a moment ago"
        one.console.later()
        assert (await one.log_in()).status_code == 303
        assert one.provider.asked.count("/keys") == 2


async def test_a_provider_by_another_name_is_not_the_one_in_the_settings(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        one.provider.issuer = "https://other.example.com"
        refused = await one.look("/login/openid")
        assert refused.status_code == 500 and "calls itself" in refused.text


async def test_groups_of_the_clusters_own_come_from_no_provider(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in(groups=["sre", "system:masters", 7, "", "line\nbreak"])
        await one.press(ABORT)
        assert {groups for _, _, groups in one.cluster.wrote} == {("sre",)}


async def test_a_token_of_the_cluster_lets_its_owner_in_until_it_is_taken_back(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        one.cluster.people["good"] = ("system:serviceaccount:shop:bo", ["sre", "system:serviceaccounts"])
        back = await one.http.post("/login/token", data={"token": " good\n", "next": "//evil.example.com"})
        assert (back.status_code, back.headers["Location"]) == (303, "/")
        assert "good" not in back.headers["Set-Cookie"]
        page = (await one.look("/rollouts/shop/storefront")).text
        assert "system:serviceaccount:shop:bo" in page
        one.cluster.people.clear()
        refused = await one.press(ABORT)
        assert refused.status_code == 403 and "does not know this token any more" in refused.text and not await one.aborted()


async def test_who_guesses_tokens_is_slowed_down(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        tries = [await one.http.post("/login/token", data={"token": f"guess{number}"}) for number in range(6)]
        assert [answer.status_code for answer in tries] == [403] * 4 + [429] * 2
        assert int(tries[-1].headers["Retry-After"]) > 0 and "guess" not in tries[0].text
        one.cluster.people["good"] = ("bo", ["sre"])
        assert (await one.http.post("/login/token", data={"token": "good"})).status_code == 429
        one.console.later()
        assert (await one.http.post("/login/token", data={"token": "good"})).status_code == 303


async def test_another_site_cannot_log_anybody_in_or_out(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        await one.log_in()
        for path in ("/logout", "/login/token"):
            assert (await one.http.post(path, headers={"Origin": "https://evil.example.com"})).status_code == 403
        assert (await one.look("/")).status_code == 200


async def test_a_daemon_that_only_reads_lets_nobody_press(tmp_path: Path) -> None:
    async with guarded(tmp_path) as one:
        settings = looking_only(ConsoleSettings(listen="x", login=LoginSettings(session=timedelta(1), token=True, roles=ROLES)))
        assert settings.login is not None and {role.role for role in settings.login.roles} == {"viewer"}
        assert looking_only(ConsoleSettings(listen="x")) == ConsoleSettings(listen="x") and one.door.ways.any


ELSEWHERE = ["https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "javascript:x", "", "/a\nb", "///", "//["]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_login_leads_nowhere_else(place: str) -> None:
    assert onward(place) == "/" and onward("/rollouts/shop/web?q=a%20b") == "/rollouts/shop/web?q=a%20b"
