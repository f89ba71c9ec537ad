"""Config is part of the release (ADR 0039): new pods for new config, kept out and brought back with the template that reads it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.kernel.identity import Manifest, ObjectRef, name_of
from reconciler.kernel.resources import CONFIGMAPS, RELEASES, ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Cause, Content, Release, ReleaseStatus, Verdict
from reconciler.releases.opening.config_mark import CONFIG, mark_of, marked, means_version, next_mark, unmarked
from reconciler.releases.opening.gate import Wanted, decide_template
from reconciler.releases.opening.served import found_of
from reconciler.sync.plan import plan
from tests.kit.desk import Desk, desk, policy, rollout
from tests.kit.releases import NOW, TEMPLATE, release
from tests.kit.sourcefacts import applied, source_facts

NEXT = "registry.example.com/web:1.1"
READS = "          envFrom: [{configMapRef: {name: settings}}]\n"
WEB = rollout(extra=READS)


def settings(value: str, name: str = "settings") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{value: '{value}'}}\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        found.push({"web.yaml": WEB, "settings.yaml": settings("one")}, "good")
        await found.proven()
        yield found


async def template(shop: Desk, name: str = "web") -> Manifest:
    found: Manifest = (await shop.found(ROLLOUTS, name))["spec"]["template"]
    return found


async def value(shop: Desk) -> str:
    return str((await shop.found(CONFIGMAPS, "settings"))["data"]["value"])


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


async def ask(shop: Desk, files: dict[str, str | bytes | None], message: str = "config") -> str:
    sha = shop.push(files, message)
    await shop.look()
    return sha


# -- a change of config alone is a release with pods of its own ---------------------------------------------------------


async def test_a_template_that_serves_bears_nothing_of_ours(shop: Desk) -> None:
    assert mark_of(await template(shop)) == ""


async def test_a_change_of_config_alone_makes_new_pods_and_comes_back_with_the_image(shop: Desk) -> None:
    before = await template(shop)
    sha = await ask(shop, {"settings.yaml": settings("two"), "web.yaml": rollout(NEXT, extra=READS)})
    assert (mark_of(await template(shop)), await value(shop)) == (f"2-{sha[:12]}", "two")
    await shop.lost()
    assert (shop.origin.read("web.yaml").decode(), shop.origin.read("settings.yaml").decode()) == (WEB, settings("one"))
    assert len(shop.origin.log("%s")) == 3, "image and config come back in one commit"
    shop.clock.time = shop.clock.time.replace(year=shop.clock.time.year + 1)  # the rejected version is inspected no more
    await shop.look()
    assert await template(shop) == before, "the very template that served: its pods are there"
    assert await value(shop) == "one"


async def test_config_alone_is_restored_without_touching_the_template(shop: Desk) -> None:
    await ask(shop, {"settings.yaml": settings("two")})
    await shop.lost()
    assert shop.origin.read("settings.yaml").decode() == settings("one") and shop.origin.read("web.yaml").decode() == WEB
    assert (await newest(shop)).status.verdict is Verdict.FAILED


async def test_an_unrelated_push_and_one_more_look_change_no_template(shop: Desk) -> None:
    await ask(shop, {"settings.yaml": settings("two")})
    before = await shop.found(ROLLOUTS, "web")
    await ask(shop, {"other.yaml": settings("x", "other")}, "unrelated")
    await shop.look()
    assert await shop.found(ROLLOUTS, "web") == before


async def test_a_policy_leaves_pods_as_they_are(shop: Desk) -> None:
    await ask(shop, {"p.yaml": policy("p", "{onConfigChange: none}")})
    await shop.follow_policy("p")
    await ask(shop, {"settings.yaml": settings("two")})
    assert mark_of(await template(shop)) == "" and await value(shop) == "two"
    assert len(await shop.releases()) == 2, "it is a release all the same"


async def test_two_workloads_that_share_config_are_two_releases(shop: Desk) -> None:
    await ask(shop, {"api.yaml": rollout(name="api", extra=READS)}, "second")
    await shop.proven("api", "a1")
    await ask(shop, {"settings.yaml": settings("two")})
    marks = [mark_of(await template(shop, name)) for name in ("web", "api")]
    assert all(marks) and len(await shop.releases()) == 4


async def test_releases_that_are_lost_make_no_new_pods(shop: Desk) -> None:
    await ask(shop, {"settings.yaml": settings("two")})
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    before = await template(shop)
    for found in await shop.releases():
        await shop.api.client.delete(ObjectRef(RELEASES, "shop", name_of(found)))
        await shop.gone(RELEASES, name_of(found))
    await shop.look()
    assert (await newest(shop)).spec.config_mark == mark_of(before) != ""
    await shop.look()
    assert await template(shop) == before


# -- what is held takes no effect by its config either --------------------------------------------------------------------


async def test_config_of_a_held_version_is_kept_out_of_the_cluster(shop: Desk) -> None:
    bad = await ask(shop, {"settings.yaml": settings("bad")})
    await shop.lost()
    await shop.look()
    assert await value(shop) == "one"
    shop.origin.force(bad)
    await shop.look()
    await shop.look()
    assert await value(shop) == "one", "a bot pushed it again, and what is held is kept out whole"
    again = await newest(shop)
    assert again.spec.cause is Cause.PUSHED_AGAIN and again.spec.attempt == 2


async def test_until_a_proposal_is_merged_what_served_reads_its_own_config(shop: Desk) -> None:
    await ask(shop, {"p.yaml": policy("p", "{onFailure: propose}")})
    await shop.follow_policy("p")
    await ask(shop, {"settings.yaml": settings("bad")})
    assert await value(shop) == "bad"
    await shop.lost()
    await shop.judge(1)
    await shop.look()
    assert shop.origin.read("settings.yaml").decode() == settings("bad") and await value(shop) == "one"


async def test_config_that_another_workload_reads_too_is_not_kept_from_it(shop: Desk) -> None:
    await ask(shop, {"api.yaml": rollout(name="api", extra=READS), "p.yaml": policy("p", "{onFailure: propose}")}, "second")
    await shop.proven("api", "a1")
    await ask(shop, {"settings.yaml": settings("two")})
    await shop.lost()
    await shop.look()
    assert await value(shop) == "two"


# -- pods find the config that they are made for ----------------------------------------------------------------------------


async def test_a_template_waits_for_config_that_the_server_refuses(shop: Desk) -> None:
    before = await template(shop)
    await ask(shop, {"settings.yaml": settings("x").replace("'x'", "[1]")})
    assert await template(shop) == before
    await shop.look()
    assert await template(shop) == before and "its pod template waits: it reads ConfigMap settings" in await shop.problems()
    await ask(shop, {"settings.yaml": settings("two")})
    assert mark_of(await template(shop)) and await value(shop) == "two"


async def test_a_template_waits_for_config_that_a_person_suspended(shop: Desk) -> None:
    before, place = await template(shop), ObjectRef(CONFIGMAPS, "shop", "settings")
    await shop.api.client.patch(place, {"metadata": {"annotations": {"reconciler.dev/suspend": "true"}}})
    await ask(shop, {"settings.yaml": settings("two")})
    assert (await template(shop), await value(shop)) == (before, "one") and "its pod template waits" in await shop.problems()
    await shop.api.client.patch(place, {"metadata": {"annotations": {"reconciler.dev/suspend": None}}})
    await ask(shop, {"other.yaml": settings("x", "other")}, "unrelated")
    assert mark_of(await template(shop)) and await value(shop) == "two"


async def test_an_image_alone_waits_for_no_config(shop: Desk) -> None:
    await ask(shop, {"settings.yaml": settings("one") + "immutable: [1]\n", "web.yaml": rollout(NEXT, extra=READS)})
    assert (await template(shop))["spec"]["containers"][0]["image"] == NEXT


# -- the mark -------------------------------------------------------------------------------------------------------------


def content(image: str = "web:1", secrets: dict[str, str] | None = None, **config: str) -> Content:
    kept = tuple({"kind": "ConfigMap", "metadata": {"name": name}, "data": {"v": text}} for name, text in config.items())
    return Content(template={"spec": {"containers": [{"name": "web", "image": image}]}}, config=kept, secrets=secrets or {})


def known(found: Content, mark: str = "", identity: str = "good") -> Release:
    one = release(identity=identity, status=ReleaseStatus(verdict=Verdict.PASSED))
    return replace(one, spec=replace(one.spec, content=found, config_mark=mark))


@pytest.mark.parametrize(
    ("asked", "served", "mark"),
    [
        (content("web:2", settings="one"), content(settings="one"), "before"),
        (content(settings="two"), content(settings="one"), "own"),
        (content("web:2", settings="two"), content(settings="one"), "own"),
        (content("web:2", secrets={"key": "b"}), content(secrets={"key": "a"}), "own"),
        (content("web:2"), content(settings="one"), "own"),
        (content("web:2", **{"s-7b9kcbt2gh": "two"}), content(**{"s-m8f2hk4c5t": "one"}), "before"),
        (content(**{"s-7b9kcbt2gh": "two"}), content(**{"s-7b9kcbt2gh": "one"}), "own"),
        (content("web:2", **{"app-settings": "two"}), content(**{"app-settings": "one"}), "own"),
        (replace(content("web:2"), cut=True), content(), "own"),
        (content("web:2"), replace(content(), cut=True), "own"),
    ],
)
def test_another_mark_where_config_of_a_lasting_name_has_changed(asked: Content, served: Content, mark: str) -> None:
    good = known(served, "before")
    assert next_mark(asked, "asked", [good], good, "own") == mark


def test_a_version_that_is_asked_for_again_bears_its_mark_again() -> None:
    good, before = known(content(settings="one")), known(content(settings="two"), "its own", "asked")
    assert next_mark(content(settings="two"), "asked", [before, good], good, "new") == "its own"
    assert (
        next_mark(content(settings="two"), "asked", [replace(before, spec=replace(before.spec, config_mark="")), good], good, "new")
        == "new"
    )
    assert next_mark(content(settings="two"), "asked", [], None, "new") == ""


def test_the_mark_is_all_that_is_added_and_taken_off() -> None:
    whole: dict[str, Any] = {"metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}}, "spec": {}}
    bare: dict[str, Any] = {"metadata": {"labels": {"app": "web"}}, "spec": {}}
    for one in (whole, bare, {"spec": {}}):
        assert marked(one, "") == unmarked(one) == one
        assert mark_of(marked(one, "m")) == "m"
    assert unmarked(marked(whole, "m")) == whole and unmarked(marked(bare, "m")) == bare
    assert mark_of({"metadata": {"annotations": [CONFIG]}}) == "" and mark_of({"metadata": "x"}) == mark_of(None) == ""


def test_a_version_is_known_by_its_mark_where_we_apply_it_and_without_where_another_does() -> None:
    mine = replace(release(), spec=replace(release().spec, content=Content(template=TEMPLATE), config_mark="m"))
    beside = replace(mine, spec=replace(mine.spec, companion=True))
    for live, ours, theirs in ((TEMPLATE, False, True), (marked(TEMPLATE, "m"), True, True), (marked(TEMPLATE, "n"), False, True)):
        assert (means_version(mine, live), means_version(beside, live)) == (ours, theirs)
    theirs_too = replace(beside, spec=replace(beside.spec, content=Content(template=marked(TEMPLATE, "a"))))
    assert not means_version(theirs_too, marked(TEMPLATE, "b")) and means_version(theirs_too, marked(TEMPLATE, "a"))


def test_a_rollout_that_is_missing_is_made_with_the_mark_that_served() -> None:
    good = known(content(settings="one"), "m")
    good = replace(good, status=replace(good.status, pod_hash="h1"))
    bad = replace(release("bad", identity="bad", minutes=1), status=ReleaseStatus(verdict=Verdict.FAILED, held=True))
    found = decide_template(Wanted(identity="bad", images={}, history=[good, bad], live=None), NOW)
    assert found.keep and found.instead == marked(good.spec.content.template, "m")


def test_what_serves_is_known_without_its_mark_and_keeps_it() -> None:
    status = {"replicas": 1, "availableReplicas": 1}
    deployment = {"kind": "Deployment", "spec": {"replicas": 1, "template": marked(TEMPLATE, "m")}, "status": status}
    found = found_of(None, deployment, ())
    assert found is not None and (found.template, found.config_mark) == (unmarked(TEMPLATE), "m")
    assert found.unknown_to_git.config_mark == "m" and found.unknown_to_git.content.template == TEMPLATE


def test_where_no_release_says_so_the_mark_stays() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:0"}]}}
    for live, mark in ((marked(template, "m"), "m"), (template, "")):
        there = {**applied("web", kind="Rollout"), "apiVersion": "argoproj.io/v1alpha1", "spec": {"template": live}}
        thought = plan(source_facts({"web": rollout()}, live=(there,)), NOW)
        bodies = [write.patch.body for wave in thought.waves for write in wave]
        assert [mark_of(body["spec"]["template"]) for body in bodies if isinstance(body, dict)] == [mark]
