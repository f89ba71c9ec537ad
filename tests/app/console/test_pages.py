"""What pages show when the world is not as it should be: away, forbidden, empty, enormous, half gone."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.app.console import board as boards
from reconciler.app.console import shelf as shelves
from reconciler.app.console.board import Board
from reconciler.app.console.pages import ConsoleScope, Pages
from reconciler.app.console.reading import ListQuestion, TroubleKind
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, RELEASES, ROLLOUTS
from reconciler.kube.client import Client, Listing
from reconciler.kube.fence import Fence
from reconciler.sources.drift import Drift, DriftedField
from reconciler.sources.inventory import parse_inventory, render_inventory, workload_key
from tests.kit.clusters import api
from tests.kit.consoles import Troubled, serving
from tests.kit.rollouts import canary, pause, rollout, weight

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


def groups(text: str) -> list[str]:
    return re.findall(r'<h2 id="(\w+)"', text)


async def test_what_is_in_motion_comes_first_and_the_rest_last() -> None:
    async with serving() as console:
        assert groups((await console.ask("/")).text) == ["moving", "held", "degraded", "waiting", "settled"]


async def test_filters_are_in_the_address() -> None:
    async with serving() as console:
        assert groups((await console.ask("/?state=held")).text) == ["held"]
        assert groups((await console.ask("/?environment=staging")).text) == ["waiting"]
        assert groups((await console.ask("/?namespace=pay")).text) == ["degraded"]
        assert [row["name"] for row in (await console.ask("/?q=renovate+mailer&format=json")).json()] == ["mailer"]
        assert [row["name"] for row in (await console.ask("/?q=8d0e4f7&format=json")).json()] == ["storefront"]


async def test_a_release_shows_its_steps_its_weights_and_its_limits() -> None:
    async with serving() as console:
        page = (await console.ask("/rollouts/shop/storefront")).text
        assert page.count('<li class="done"') == 4 and page.count('aria-current="step"') == 1
        assert 'class="ahead"' in page and "everybody is on the new version" in page
        assert "&gt;= 0.95" in page and page.count('class="dot bad"') == 1
        assert "production/storefront.yaml:24" in page and "#412" in page
        assert "ReplicaSet" in page and "storefront-new" in page


async def test_a_version_that_came_home_shows_no_steps_of_the_one_that_serves() -> None:
    async with serving() as console:
        page = (await console.ask("/rollouts/shop/checkout")).text
        assert "<h2>Steps</h2>" not in page and "<h2>Measured</h2>" in page
        assert "reconciler hold lift checkout-77b1e0aa-51c2d3e -n shop" in page and "eeeeeeeeeeee" in page


async def test_a_server_that_went_away_leaves_the_last_known_state_marked_old() -> None:
    async with serving() as console:
        assert "last known" not in (await console.ask("/")).text
        console.transport.away = True
        console.later()
        page = await console.ask("/")
        assert page.status_code == 200 and "storefront" in page.text
        assert "This is the last state that is known" in page.text and "no answer in 5 s" in page.text
        console.transport.away = False
        console.later()
        assert "last known" not in (await console.ask("/")).text


async def test_a_server_that_never_answered_is_said_with_what_to_do() -> None:
    async with serving() as console:
        console.transport.away = True
        page = await console.ask("/")
        assert page.status_code == 503
        assert "does not answer" in page.text and "kubectl get rollouts -A" in page.text


@pytest.mark.parametrize(("end", "named"), [("/releases", "releases.reconciler.dev"), ("/rollouts", "rollouts.argoproj.io")])
async def test_a_right_that_is_missing_is_named_and_the_rest_is_shown(end: str, named: str) -> None:
    async with serving() as console:
        console.transport.refused = (end,)
        page = await console.ask("/")
        assert page.status_code == 200 and f"You may not list {named} in all namespaces" in page.text
        assert "storefront" in page.text and f"kubectl auth can-i list {named} -A" in page.text


async def test_without_the_right_to_look_at_all_namespaces_the_daemons_own_is_asked() -> None:
    async with serving() as console:
        console.transport.refused = ("/v1/configmaps", "/v1/namespaces")
        page = (await console.ask("/sources")).text
        assert "GET /api/v1/namespaces/reconciler/configmaps" in console.transport.asked
        assert "production/gateway.yaml" in page and "You may not" not in page


async def test_pods_that_may_not_be_seen_cost_only_themselves() -> None:
    async with serving() as console:
        console.transport.refused = ("/pods", "/events")
        page = (await console.ask("/rollouts/shop/storefront")).text
        assert "You may not list pods in namespace shop" in page and "You may not list events in namespace shop" in page
        assert "storefront-new" in page and 'aria-current="step"' in page


async def test_the_comment_is_shown_as_the_pull_request_has_it_and_the_restore_as_a_diff() -> None:
    async with serving() as console:
        page = (await console.ask("/rollouts/shop/checkout")).text
        shown = page.partition('aria-label="The comment">')[2].partition("</section>")[0]
        assert "<h3>Release to <code>production</code></h3>" in shown and "shop/checkout" in shown
        way = page.partition("<h2>Restored in Git")[2].partition("</section>")[0]
        assert "checkout:1.14.0" in way.partition('class="gone"')[2].partition('class="came"')[0]
        assert "checkout:1.13.2" in way.partition('class="came"')[2] and "production/checkout.yaml:19" in way
        assert 'aria-label="The comment"' not in (await console.ask("/rollouts/shop/search")).text, "there is no pull request"


async def test_a_history_says_who_met_each_version() -> None:
    async with serving() as console:
        page = re.sub(r"<[^>]+>", "", (await console.ask("/rollouts/shop/checkout/history")).text)
        assert "a part of users, for 9 min at most" in page
        page = re.sub(r"<[^>]+>", "", (await console.ask("/rollouts/shop/cart/history")).text)
        assert "everybody for 2 min before the verdict" in page


async def test_a_source_says_what_is_behind_and_since_when() -> None:
    async with serving() as console:
        ref = ObjectRef(CONFIGMAPS, "reconciler", "reconciler-source-shop")
        kept = parse_inventory(await console.cluster.client.get(CONFIGMAPS, ref.namespace, ref.name))
        behind = {**kept.workloads, workload_key("shop", "Rollout", "mailer"): "identity of checkout-77b1e0aa-51c2d3e"}
        drift = Drift(
            object="Service shop/web", fields=(DriftedField(field="spec.type", pointer="/spec/type", manager="kubectl", since="today"),)
        )
        wave = replace(kept, workloads=behind, drifts=(drift,), drifted=1)
        await console.cluster.client.patch(ref, {"data": render_inventory("shop", "reconciler", wave)["data"]})
        page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", (await console.ask("/sources")).text))
        assert "1 not on this commit's version yet, asked for 2 h ago" in page
        assert "Changed by others than Git (1)" in page and "spec.type by kubectl since today" in page


async def test_the_page_of_policies_says_which_judges_which_workload_and_why() -> None:
    async with serving() as console:
        text = (await console.ask("/policies")).text
        rows = {
            row.partition("</a>")[0].rpartition(">")[2]: re.sub(r"<[^>]+>", "", row)
            for row in text.split("<tr>")
            if 'data-name="Why' in row
        }
        assert set(rows) == {f"shop/{name}" for name in ("cart", "checkout", "mailer", "search", "storefront")} | {"pay/ledger"}
        assert "it names this workload" in rows["shop/storefront"] and "success-rate step 3" in rows["shop/storefront"]
        assert "the defaults" in rows["shop/cart"] and "✕ not there" in rows["pay/ledger"], "its template is in no namespace of its own"
        assert "nothing is measured" in rows["shop/search"] and "Not every kind of policy" not in text
        assert "shop/cart" not in (await console.ask("/policies?q=ledger")).text
        console.transport.refused = ("/clusterreleasepolicies",)
        console.later()
        assert "Not every kind of policy can be read" in (await console.ask("/policies")).text


@pytest.mark.parametrize("path", ["/", "/holds", "/sources", "/policies"])
async def test_an_empty_cluster_says_what_to_do(path: str) -> None:
    async with serving(ConsoleScope(namespace="shop"), filled=False) as console:
        page = await console.ask(path)
        assert page.status_code == 200 and 'class="empty"' in page.text


BROKEN: list[Manifest] = [
    {},
    {"strategy": "canary"},
    {"strategy": {"canary": {"steps": "many"}}},
    {"strategy": {"canary": {"steps": [{"setWeight": "much"}]}}},
    {"strategy": {"canary": {"steps": [{"pause": {"duration": {}}}, {"analysis": "x"}]}}, "template": []},
    {"replicas": "two"},
]


class Given:
    """Pages of a board that was given its lists."""

    def __init__(self, **lists: list[Manifest]) -> None:
        self._lists = {ROLLOUTS: lists.get("rollouts", []), RELEASES: lists.get("releases", [])}
        self.pages = Pages(Board(self, Hands()), Hands(), ConsoleScope())  # type: ignore[arg-type]

    async def listing(self, resource: Any, namespace: str = "", *, labels: str = "", fields: str = "") -> Listing:
        return Listing(self._lists.get(resource, []), "")

    async def find(self, resource: Any, namespace: str, name: str) -> Manifest | None:
        return None


@pytest.mark.parametrize("spec", BROKEN, ids=str)
@pytest.mark.parametrize("gone", [False, True])
async def test_a_rollout_that_nobody_can_read_costs_only_its_own_line(spec: Manifest, gone: bool) -> None:
    good = rollout(name="good", canary=canary(weight(5), pause(60)))
    metadata = {"name": "bad", "namespace": "shop", "uid": "b", **({"deletionTimestamp": "2026-11-25T03:00:00Z"} if gone else {})}
    bad: Manifest = {
        "metadata": metadata,
        **({"spec": spec} if spec or not gone else {}),
        "status": {"currentStepIndex": 0, "phase": "Paused"},
    }
    given = Given(rollouts=[bad, good])
    page = await given.pages.now({})
    assert {line.workload.name for line in page.shown["lines"]} == {"bad", "good"}
    assert "good" in [row["name"] for row in page.document]
    detail = await given.pages.rollout("shop", "bad")
    assert detail is not None and detail.status == 200 and detail.document


async def test_a_release_that_does_not_fit_is_named_and_the_others_are_shown() -> None:
    given = Given(releases=[{"metadata": {"name": "odd", "namespace": "shop", "uid": "o"}, "spec": {"workload": 1}}], rollouts=[rollout()])
    page = await given.pages.now({})
    assert page.status == 200 and len(page.shown["lines"]) == 1
    assert any("shop/odd" in notice.text for notice in page.notices)


@pytest.mark.parametrize("status", [{"decidedAt": "2026-11-25T03:00:00"}, {"promotedAt": "noon"}, {"verdict": "maybe"}], ids=str)
async def test_a_status_that_a_person_broke_costs_only_its_own_release(status: Manifest) -> None:
    async with serving() as console:
        broken = ObjectRef(RELEASES, "shop", "cart-11aa22bb-7777777")
        await console.cluster.client.patch(broken, {"status": status}, subresource="status")
        for path in ("/", "/rollouts/shop/cart", "/holds", "/rollouts/shop/storefront"):
            page = await console.ask(path)
            assert page.status_code == 200 and "Release shop/cart-11aa22bb-7777777" in page.text, path


async def test_more_lists_than_are_kept_are_read_all_the_same() -> None:
    async with api() as cluster:
        board = Board(Client(cluster.transport, Fence()), Hands())
        asked = [ListQuestion(ROLLOUTS, f"n{number}") for number in range(boards.KEPT + 20)]
        found = await board.read(*asked)
        assert len(found) == len(asked) and all(one.at is not None and one.trouble is None for one in found)
        await board.read(ListQuestion(NAMESPACES))
        assert len(board._shelves) <= boards.KEPT + 1


async def test_ten_thousand_workloads_come_in_sheets() -> None:
    many = [rollout(name=f"web-{number:05}", canary=canary(weight(5), pause(60))) for number in range(10_000)]
    pages = Given(rollouts=many).pages
    first, last, beyond = await pages.now({}), await pages.now({"page": "250"}), await pages.now({"page": "9999999"})
    assert len(first.document) == 40 and first.shown["sheet"].last == 250
    assert last.document[-1]["name"] == beyond.document[-1]["name"] == "web-09999"
    assert len((await pages.at("/", whole=True)).document) == 10_000
    assert len((await pages.at("/?page=all")).document) == 40, "no reader may ask for all of it as a page"
    assert first.document[0]["name"] == (await pages.now({"page": "-1"})).document[0]["name"] == "web-00000"


async def test_a_list_is_read_once_for_all_who_ask_and_again_when_it_is_not_fresh() -> None:
    async with api() as cluster:
        hands, transport = Hands(), Troubled(cluster.transport)
        board = Board(Client(transport, Fence()), hands)
        await board.read(*[ListQuestion(NAMESPACES)] * 3)
        await board.read(ListQuestion(NAMESPACES))
        assert len(transport.asked) == 1
        hands.seconds += shelves.SURE
        await board.read(ListQuestion(NAMESPACES))
        assert len(transport.asked) == 2


async def test_a_right_that_was_taken_away_hides_what_was_seen_before() -> None:
    async with api() as cluster:
        hands, transport = Hands(), Troubled(cluster.transport)
        board = Board(Client(transport, Fence()), hands)
        (before,) = await board.read(ListQuestion(NAMESPACES))
        transport.refused = ("/namespaces",)
        hands.seconds += shelves.SURE
        (after,) = await board.read(ListQuestion(NAMESPACES))
        assert before.items and not after.items
        assert after.trouble is not None and after.trouble.kind is TroubleKind.FORBIDDEN and not after.old


async def test_a_rollout_that_was_deleted_is_explained_by_its_last_release() -> None:
    async with serving() as console:
        await console.cluster.client.delete(ObjectRef(ROLLOUTS, "shop", "cart"))
        page = await console.ask("/rollouts/shop/cart")
        assert page.status_code == 200 and "There is no Rollout shop/cart any more" in page.text
        assert (await console.ask("/rollouts/shop/cart?format=json")).json()["sentence"].startswith("There is no Rollout shop/cart")


async def test_of_a_way_that_is_not_on_record_no_line_is_drawn() -> None:
    async with serving() as console:
        told, silent = (await console.ask("/rollouts/shop/storefront")).text, (await console.ask("/rollouts/shop/cart")).text
        assert "Weight of this version" in told and "Weight of this version" not in silent
        assert "Promoted" in silent
