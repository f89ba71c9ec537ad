"""A preview through the controller: on record while it is open, probed through the services named, torn down when its time is over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.kernel.resources import ROLLOUTS
from reconciler.kernel.strict import FieldError
from reconciler.releases.announce.message import comment, headline
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release, Verdict
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.preview.record import PreviewRecord
from reconciler.releases.preview.words import preview_lines
from tests.kit.desk import Desk, desk, policy, rollout

NEW = "registry.example.com/web:1.1"
SERVICES = "services: [{name: web, path: /headers}, {name: cart, path: /cart/headers}, {name: stock, path: /stock/headers}]"
SPEC = f"{{preview: {{address: 'https://web.example.com', ttl: 8h, probe: {{{SERVICES}}}}}}}"
EXACT = "{exact: ann}"
BESIDE = {"phase": "Paused", "stableRS": "h1", "abort": False, "conditions": [], "updatedReplicas": 1, "currentStepIndex": 1}


def tagged(text: str, value: str = EXACT) -> str:
    route = f"        - setHeaderRoute: {{name: testers, match: [{{headerName: X-Tester, headerValue: {value}}}]}}\n"
    return text.replace("        - setWeight: 30\n", f"{route}        - setWeight: 30\n")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield await begun(found)


async def begun(shop: Desk, spec: str = SPEC, value: str = EXACT) -> Desk:
    """A proven version, and a new one that only testers reach."""
    shop.push({"web.yaml": tagged(rollout(), value), "p.yaml": policy("p", spec)})
    await shop.look()
    await shop.follow_policy("p")
    await shop.proven()
    shop.push({"web.yaml": tagged(rollout(NEW), value)})
    await shop.look()
    await shop.say(currentPodHash="h2", **BESIDE)
    await shop.judge(3)
    return shop


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def record(shop: Desk) -> PreviewRecord:
    found = (await newest(shop)).status.preview
    assert found is not None
    return found


async def later(shop: Desk, **span: float) -> PreviewRecord:
    shop.clock.time += timedelta(**span)
    await shop.judge(3)
    return await record(shop)


async def test_it_is_on_record_by_name_way_address_and_time_and_told(shop: Desk) -> None:
    found = await record(shop)
    assert (found.names, found.ways, found.address) == (("testers",), ("header X-Tester: ann",), "https://web.example.com")
    assert found.until == found.since + timedelta(hours=8) and found.ended is None
    assert "Preview: closes at" in comment("demo", [await newest(shop)], {})
    assert "testers: header X-Tester: ann, at https://web.example.com, until" in preview_lines(found)[0]
    again = await later(shop, minutes=30)
    assert (again.since, again.until) == (found.since, found.until)


async def test_the_probe_names_the_first_service_that_does_not_receive_the_header(shop: Desk) -> None:
    shop.echoes.deaf, shop.echoes.page = {"/cart/headers"}, "<p>ann</p>"
    found = (await later(shop, seconds=10)).propagation
    assert found is not None and (found.reached, found.lost, found.problem) == (("web",), "cart", "")
    assert [call.url for call in shop.echoes.asked] == ["https://web.example.com/headers", "https://web.example.com/cart/headers"]
    assert {dict(call.headers)["X-Tester"] for call in shop.echoes.asked} == {"ann"}
    assert "the testers' header reaches web and cart does not receive it" in comment("demo", [await newest(shop)], {})
    await later(shop, minutes=1)
    assert len(shop.echoes.asked) == 2
    shop.echoes.deaf = set()
    mended = (await later(shop, minutes=11)).propagation
    assert mended is not None and (mended.reached, mended.lost) == (("web", "cart", "stock"), "")
    assert not (await newest(shop)).decided


@pytest.mark.parametrize(("away", "statuses", "words"), [({"/cart/headers"}, {}, "cart: "), (set(), {"/cart/headers": 404}, "answers 404")])
async def test_a_service_that_does_not_answer_is_told_and_no_finding(
    shop: Desk, away: set[str], statuses: dict[str, int], words: str
) -> None:
    shop.echoes.away, shop.echoes.statuses = away, statuses
    found = (await later(shop, seconds=10)).propagation
    assert found is not None and (found.reached, found.lost) == (("web",), "") and words in found.problem


async def test_an_expression_is_probed_with_the_value_that_the_policy_says_or_not_at_all(tmp_path: Path) -> None:
    async with desk(tmp_path) as found:
        shop = await begun(found, value="{regex: 'a.+'}")
        told = (await later(shop, seconds=10)).propagation
        assert told is not None and "preview.probe.value" in told.problem and shop.echoes.asked == []
        shop.push({"p.yaml": policy("p", SPEC.replace("probe: {", "probe: {value: anna, every: 10s, "))})
        await shop.look()
        await shop.follow_policy("p")
        told = (await later(shop, minutes=1)).propagation
        assert told is not None and told.reached == ("web", "cart", "stock")
        assert dict(shop.echoes.asked[0].headers)["X-Tester"] == "anna"


async def test_after_its_time_a_version_that_only_testers_met_is_brought_home(shop: Desk) -> None:
    await later(shop, hours=7)
    assert (await shop.found(ROLLOUTS, "web"))["status"]["abort"] is False
    found = await later(shop, hours=2)
    assert found.expired and (await shop.found(ROLLOUTS, "web"))["status"]["abort"] is True
    await shop.say(phase="Degraded", abort=True, abortedAt="2026-01-02T03:04:05Z", updatedReplicas=0)
    await shop.judge(4)
    release = await newest(shop)
    assert release.status.verdict is Verdict.ABORTED and release.status.held
    assert "its preview stood for" in release.status.reason and "its preview was over" in headline(release)
    closed = await record(shop)
    assert closed.ended is not None and preview_lines(closed)[0].endswith("its time was over")
    assert release.status.restore is not None and release.status.restore.mode.value == "propose"


async def test_once_users_are_on_it_no_time_runs_out(shop: Desk) -> None:
    await shop.say(currentStepIndex=2, canary={"weights": {"canary": {"weight": 30}, "stable": {"weight": 70}}})
    await later(shop, hours=9)
    assert (await newest(shop)).status.verbs == ()


@pytest.mark.parametrize("ending", [{"phase": "Healthy", "stableRS": "h2"}, {"abort": True, "phase": "Degraded", "updatedReplicas": 0}])
async def test_it_ends_with_its_release_and_the_record_stays(shop: Desk, ending: dict[str, Any]) -> None:
    await shop.say(**ending)
    await shop.judge(4)
    found = await record(shop)
    assert found.ended is not None and not found.expired
    assert "Preview:" not in comment("demo", [await newest(shop)], {})


WRONG = [
    ("{ttl: soon}", "spec.preview.ttl"),
    ("{address: 'https://a:b@web.example.com'}", "spec.preview.address"),
    ("{address: 'file:///etc/passwd'}", "spec.preview.address"),
    ("{probe: {services: []}}", "spec.preview.probe.services"),
    ("{probe: {services: [{name: a, path: b}]}}", "spec.preview.probe.services[0].path"),
    ("{probe: {services: [{name: a, path: /}, {name: a, path: /b}]}}", "spec.preview.probe.services"),
    ("{probe: {every: 1s, services: [{name: a, path: /}]}}", "spec.preview.probe.every"),
    ('{probe: {value: "a\\nb", services: [{name: a, path: /}]}}', "spec.preview.probe.value"),
    ("{tll: 8h}", "spec.preview"),
]


@pytest.mark.parametrize(("spec", "path"), WRONG)
def test_a_policy_that_cannot_be_meant_is_refused_with_its_field(spec: str, path: str) -> None:
    with pytest.raises(FieldError) as refused:
        parse_policy(yaml.safe_load(policy("p", f"{{preview: {spec}}}")))
    assert refused.value.path.startswith(path)
