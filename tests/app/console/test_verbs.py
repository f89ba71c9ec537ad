"""Verbs from the pages: asked once with the numbers of the moment, put on record, and the second of two people is told of the first."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import httpx
import pytest

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import EVENTS, NAMESPACES, RELEASES, ROLLOUTS
from tests.kit.consoles import Served, serving

STOREFRONT, HELD = "storefront-3f9a1c2b-8d0e4f7", "checkout-77b1e0aa-51c2d3e"
ABORT = "/rollouts/shop/storefront/press/abort"
TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass
class Person:
    """A browser of somebody who opened the address with the key."""

    console: Served
    http: httpx.AsyncClient

    async def look(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def asked(self, path: str) -> str:
        """The token of the form on a page that asks."""
        page = await self.look(path)
        found = TOKEN.search(page.text)
        assert page.status_code == 200 and found, page.text
        return unescape(found[1])

    async def press(self, path: str, why: str = "", *, token: str | None = None, **headers: str) -> httpx.Response:
        form = {"token": await self.asked(path) if token is None else token, "why": why}
        return await self.http.post(path, data=form, headers=headers)


@asynccontextmanager
async def person(console: Served) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(base_url=console.address, trust_env=False) as http:
        entered = await http.get("/enter", params={"key": console.key})
        assert entered.status_code == 303 and entered.headers["Location"] == "/"
        yield Person(console, http)


async def rollout(console: Served, name: str = "storefront") -> Manifest:
    return await console.cluster.client.get(ROLLOUTS, "shop", name)


async def release(console: Served, name: str = STOREFRONT) -> Manifest:
    return await console.cluster.client.get(RELEASES, "shop", name)


async def told(console: Served) -> list[str]:
    events = await console.cluster.client.list(EVENTS, "shop")
    return [str(event["message"]) for event in events if event["reason"] == "VerbPressed"]


async def test_an_abort_is_asked_with_the_numbers_of_the_moment_done_and_on_record() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        page = (await ann.look("/rollouts/shop/storefront")).text
        assert f'href="{ABORT}"' in page
        question = (await ann.look(ABORT)).text
        assert "25 % in force, 25 % asked for" in question and "5 measured" in question and "Sends traffic home" in question
        done = await ann.press(ABORT, "errors  in\nchat")
        assert (done.status_code, done.headers["Location"]) == (303, "/rollouts/shop/storefront")
        assert (await rollout(console))["status"]["abort"] is True
        (press,) = (await release(console))["status"]["presses"]
        assert (press["verb"], press["reason"]) == ("abort", "errors in chat") and press["by"] and press["at"]
        assert "Weight: 25 % in force" in press["seen"] and "refused" not in press
        (event,) = await told(console)
        assert f"{press['by']} pressed abort in the console: errors in chat" in event and "25 %" in event
        after = (await ann.look("/rollouts/shop/storefront")).text
        assert f"<b>abort</b> by {press['by']}" in after and f'href="{ABORT}"' not in after


async def test_the_audit_tells_who_did_what_and_is_searched() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        await ann.press("/rollouts/shop/storefront/press/pause", "<b>look</b>")
        await ann.press(ABORT, "500s")
        rows = (await ann.look("/audit?format=json")).json()
        assert [(row["verb"], row["workload"]) for row in rows] == [("abort", "storefront"), ("pause", "storefront"), ("abort", "checkout")]
        assert rows[2]["by"] == "reconciler" and rows[0]["by"] == rows[1]["by"] != "reconciler" and "25 %" in rows[0]["seen"]
        page = (await ann.look("/audit")).text
        assert "&lt;b&gt;look" in page and "<b>look" not in page
        assert [row["verb"] for row in (await ann.look("/audit?q=500S+shop&format=json")).json()] == ["abort"]
        assert "Nothing matches" in (await ann.look("/audit?q=nobody")).text


CHANGES = {
    "promote": ("storefront", lambda status, spec: "pauseConditions" not in status or status["pauseConditions"] is None),
    "promote-full": ("storefront", lambda status, spec: status["promoteFull"] is True),
    "pause": ("storefront", lambda status, spec: spec["paused"] is True),
    "restart": ("storefront", lambda status, spec: bool(spec["restartAt"])),
    "undo": ("storefront", lambda status, spec: spec["template"]["spec"]["containers"][0]["image"].endswith(":2.7.3")),
}


@pytest.mark.parametrize("verb", CHANGES)
async def test_each_verb_does_what_it_does_on_the_command_line(verb: str) -> None:
    name, changed = CHANGES[verb]
    async with serving(keyed=True) as console, person(console) as ann:
        before = await rollout(console, name)
        assert not changed(before["status"], before["spec"]) if verb not in ("promote-full", "pause", "restart") else True
        done = await ann.press(f"/rollouts/shop/{name}/press/{verb}")
        assert done.status_code == 303, done.text
        after = await rollout(console, name)
        assert changed(after["status"], after["spec"])
        assert [one["verb"] for one in (await release(console))["status"]["presses"]] == [verb]


async def test_what_was_paused_by_a_person_is_resumed_and_its_step_stays() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        await ann.press("/rollouts/shop/storefront/press/pause")
        assert (await ann.press("/rollouts/shop/storefront/press/resume")).status_code == 303
        found = await rollout(console)
        assert found["spec"]["paused"] is False and found["status"]["pauseConditions"] and found["status"]["currentStepIndex"] == 4


async def test_a_retry_lifts_the_hold_as_on_the_command_line() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        await console.cluster.client.patch(ObjectRef(ROLLOUTS, "shop", "checkout"), {"status": {"abort": True}}, subresource="status")
        assert (await ann.press("/rollouts/shop/checkout/press/retry")).status_code == 303
        assert (await rollout(console, "checkout"))["status"]["abort"] is False
        assert (await release(console, HELD))["status"]["held"] is False


async def test_a_version_is_held_and_lifted_and_its_inspection_ended() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        for verb, held, kept in (("end-inspection", True, False), ("lift", False, False), ("hold", True, False)):
            done = await ann.press(f"/releases/shop/{HELD}/press/{verb}", "seen")
            assert (done.status_code, done.headers["Location"]) == (303, f"/releases/shop/{HELD}")
            status = (await release(console, HELD))["status"]
            assert (status["held"], bool(status.get("keepUntil"))) == (held, kept)
        assert [one["verb"] for one in status["presses"]] == ["end-inspection", "lift", "hold"]


async def test_everything_is_frozen_and_let_go_on_by_a_name() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        assert (await ann.press("/freeze/press/freeze")).headers["Location"] == "/"
        annotations = (await console.cluster.client.get(NAMESPACES, "", "reconciler"))["metadata"]["annotations"]
        assert annotations["reconciler.dev/freeze"] == "all" and '"by": "' in annotations["reconciler.dev/frozen-by"]
        assert "/freeze/press/unfreeze" in (await ann.look("/")).text
        assert (await ann.press("/freeze/press/unfreeze")).status_code == 303
        left = (await console.cluster.client.get(NAMESPACES, "", "reconciler"))["metadata"].get("annotations") or {}
        assert "reconciler.dev/freeze" not in left


async def test_of_two_people_with_opposite_verbs_the_second_is_told_what_the_first_did() -> None:
    async with serving(keyed=True) as console, person(console) as ann, person(console) as bo:
        promoting = await bo.asked("/rollouts/shop/storefront/press/promote-full")
        await ann.press(ABORT, "500s")
        second = await bo.press("/rollouts/shop/storefront/press/promote-full", token=promoting)
        assert second.status_code == 409 and "what you saw has changed" in second.text
        assert "pressed <b>abort</b>" in second.text and "(500s)" in second.text
        found = await rollout(console)
        assert found["status"]["abort"] is True and "promoteFull" not in found["status"]
        assert [one["verb"] for one in (await release(console))["status"]["presses"]] == ["abort"]


async def test_a_step_that_went_on_by_itself_keeps_nobody_from_going_home_but_from_promoting() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        home, on = await ann.asked(ABORT), await ann.asked("/rollouts/shop/storefront/press/promote")
        moved = {"status": {"currentStepIndex": 6}}
        await console.cluster.client.patch(ObjectRef(ROLLOUTS, "shop", "storefront"), moved, subresource="status")
        refused = await ann.press("/rollouts/shop/storefront/press/promote", token=on)
        assert refused.status_code == 409 and "went on by itself" in refused.text
        assert "You saw: " in refused.text and "5/7" not in refused.text.partition("As it is now")[2]
        assert (await ann.press(ABORT, token=home)).status_code == 303


async def test_a_write_between_reading_and_pressing_does_not_lose_the_press() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        path = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/storefront/status"

        async def meanwhile() -> None:
            noise = {"metadata": {"annotations": {"noise": "1"}}}
            await console.cluster.client.patch(ObjectRef(ROLLOUTS, "shop", "storefront"), noise)

        console.transport.before(path, meanwhile, dry=False)
        assert (await ann.press(ABORT)).status_code == 303
        assert (await rollout(console))["status"]["abort"] is True
        (press,) = (await release(console))["status"]["presses"]
        assert "refused" not in press and "open" not in press


async def test_who_was_first_in_the_last_moment_wins_and_the_record_says_so() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        path = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/storefront/status"

        async def meanwhile() -> None:
            other = {"status": {"promoteFull": True}}
            await console.cluster.client.patch(ObjectRef(ROLLOUTS, "shop", "storefront"), other, subresource="status")

        console.transport.before(path, meanwhile, dry=False)
        refused = await ann.press(ABORT)
        assert refused.status_code == 409
        assert "abort" not in (await rollout(console))["status"]
        (press,) = (await release(console))["status"]["presses"]
        assert press["refused"] == "somebody else was first"


async def test_a_verb_whose_record_may_not_be_written_is_done_and_that_is_said() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        token = await ann.asked(ABORT)
        console.transport.refused = (f"/releases/{STOREFRONT}/status", "/events")
        done = await ann.press(ABORT, token=token)
        assert done.status_code == 200 and "Done." in done.text
        assert f"not on record in Release {STOREFRONT}" in done.text and "no Event tells of it" in done.text
        assert (await rollout(console))["status"]["abort"] is True


async def test_a_press_that_is_cut_off_between_its_record_and_the_patch_stays_on_record_and_that_is_said() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        token = await ann.asked(ABORT)

        async def cut() -> None:
            console.transport.away = True
            raise Transient("the connection was closed")

        console.transport.before("/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/storefront/status", cut, dry=False)
        page = await ann.press(ABORT, token=token)
        assert page.status_code == 503 and "Not known to be done" in page.text
        console.transport.away = False
        console.later()
        (press,) = (await release(console))["status"]["presses"]
        assert press["open"] is True and "refused" not in press
        assert "abort" not in (await rollout(console))["status"]
        for path in ("/rollouts/shop/storefront", "/audit"):
            assert "? not known to be done" in (await ann.look(path)).text
        again = await ann.press(ABORT)
        assert again.status_code == 303 and (await rollout(console))["status"]["abort"] is True
        assert [bool(one.get("open")) for one in (await release(console))["status"]["presses"]] == [True, False]


async def test_a_verb_that_the_cluster_refuses_is_not_done_and_leaves_no_record() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        token = await ann.asked(ABORT)
        console.transport.refused = ("/rollouts/storefront/status",)
        refused = await ann.press(ABORT, token=token)
        assert refused.status_code == 403 and "is forbidden" in refused.text
        assert "presses" not in (await release(console))["status"] and await told(console) == []


async def test_while_the_api_server_is_away_nothing_is_offered_and_the_page_says_why() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        paths = ("/rollouts/shop/storefront", "/holds", "/")
        for path in paths:
            assert "/press/" in (await ann.look(path)).text
        console.transport.away = True
        console.later()
        for path in paths:
            page = (await ann.look(path)).text
            assert "/press/" not in page and "nothing can be pressed until the API server answers" in page


async def test_while_the_api_server_is_away_nothing_can_be_pressed() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        token = await ann.asked(ABORT)
        console.transport.away = True
        assert "token" not in (await ann.look(ABORT)).text
        refused = await ann.press(ABORT, token=token)
        assert refused.status_code == 503 and "Not known to be done" in refused.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
async def test_what_another_site_sends_is_refused(headers: dict[str, str], status: int) -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        token = await ann.asked(ABORT)
        assert (await ann.press(ABORT, token=token, **headers)).status_code == status
        assert bool((await rollout(console))["status"].get("abort")) is (status == 303)


async def test_a_token_is_good_for_one_person_one_verb_and_one_workload() -> None:
    async with serving(keyed=True) as console, person(console) as ann, person(console) as bo:
        mine, other = await ann.asked(ABORT), await ann.asked("/rollouts/shop/search/press/abort")
        pausing = await ann.asked("/rollouts/shop/storefront/press/pause")
        for who, token in ((bo, mine), (ann, other), (ann, pausing), (ann, ""), (ann, mine[:-4] + "AAAA"), (ann, "x" * 9000)):
            refused = await who.press(ABORT, token=token)
            assert refused.status_code == 403 and "nothing was done" in refused.text
        assert "abort" not in (await rollout(console))["status"]


async def test_without_the_key_one_only_looks() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        token = await ann.asked(ABORT)
        async with httpx.AsyncClient(base_url=console.address, trust_env=False) as stranger:
            page = await stranger.get("/rollouts/shop/storefront")
            assert page.status_code == 200 and "/press/" not in page.text and "Read-only" in page.text
            assert (await stranger.get(ABORT)).status_code == 403
            assert (await stranger.post(ABORT, data={"token": token})).status_code == 403
            stranger.cookies.set(f"reconciler-{console.address.rpartition(':')[2]}", "eyJhbGciOiJub25lIn0.eyJzaWQiOiJ4In0.")
            assert (await stranger.post(ABORT, data={"token": token})).status_code == 403
        assert "abort" not in (await rollout(console))["status"]


async def test_who_guesses_the_key_is_slowed_down() -> None:
    async with serving(keyed=True) as console:
        answers = [(await console.ask("/enter?key=wrong")).status_code for _ in range(5)]
        assert answers == [403, 403, 403, 403, 429]
        assert (await console.ask(f"/enter?key={console.key}")).status_code == 429
        console.later()
        assert (await console.ask(f"/enter?key={console.key}")).status_code == 303


async def test_a_verb_of_a_daemon_that_knows_nobody_is_refused() -> None:
    async with serving() as console:
        assert (await console.ask("/enter?key=x")).status_code == 404
        async with httpx.AsyncClient(base_url=console.address, trust_env=False) as http:
            assert (await http.post(ABORT, data={"token": "x"})).status_code == 403
            assert (await http.post("/holds", data={})).status_code == 404


@pytest.mark.parametrize(
    "path", ["/rollouts/shop/gone/press/abort", "/releases/shop/gone/press/lift", "/rollouts/shop/storefront/press/destroy"]
)
async def test_what_is_not_there_cannot_be_pressed(path: str) -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        assert (await ann.look(path)).status_code == 404
        assert (await ann.press(path, token="x")).status_code in (403, 404)


async def test_what_would_do_nothing_is_not_offered() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        page = await ann.look("/rollouts/shop/cart/press/abort")
        assert page.status_code == 200 and "There is nothing to abort now" in page.text and 'method="post"' not in page.text


async def test_why_is_text_wherever_it_is_shown() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        await ann.press(ABORT, '<script>alert(1)</script>"' + "x" * 900)
        page = (await ann.look("/rollouts/shop/storefront")).text
        assert "&lt;script&gt;" in page and "<script>alert" not in page
        (press,) = (await release(console))["status"]["presses"]
        assert len(press["reason"]) == 300


async def test_records_of_presses_are_bounded() -> None:
    async with serving(keyed=True) as console, person(console) as ann:
        many = [{"verb": "pause", "by": "x", "at": "2026-01-01T00:00:00Z"} for _ in range(50)]
        await console.cluster.client.patch(ObjectRef(RELEASES, "shop", STOREFRONT), {"status": {"presses": many}}, subresource="status")
        await ann.press(ABORT)
        kept = (await release(console))["status"]["presses"]
        assert len(kept) == 50 and kept[-1]["verb"] == "abort"
