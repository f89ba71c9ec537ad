"""The way back in Git: one commit, of exactly the rejected values, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from reconciler.forges.plain import Plain
from reconciler.git.credentials import Credential
from reconciler.git.environment import Remote, remote_of
from reconciler.git.objects import Committer, TrustedKeys
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.fence import Fence, Fenced, Gate
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Content, Release, ReleaseStatus, Restore, RestoreMode, RestoreState, Verdict
from reconciler.releases.restore.restoring import RECENT, RESTORES_AN_HOUR, Hands, Restoration
from tests.kit.desk import Desk, config, desk, policy, rollout
from tests.kit.forges import Noting
from tests.kit.signing import allowed_signers, needs_ssh_keygen, sign_tip, ssh_key
from tests.kit.smarthttp import serve

BAD = "registry.example.com/web:6.6.6"
LEVEL = "          env: [{name: LEVEL, value: high}]\n"
FROM_CONFIG = "          envFrom: [{configMapRef: {name: settings}}]\n"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def rejected(shop: Desk, good: dict[str, str | bytes | None], bad: dict[str, str | bytes | None]) -> None:
    """A proven version, then one that the rollout layer sent home."""
    shop.push(good, "good")
    await shop.proven()
    shop.push(bad, "bad")
    await shop.look()
    await shop.lost()


async def newest(shop: Desk) -> Release:
    return parse_release((await shop.releases())[-1])


def restoration(shop: Desk, permit: Fence | None = None, remote: Remote | None = None) -> Restoration:
    hands = Hands(shop.followed, Plain(), lambda: (permit or Fence()).check("push"), remote or shop.followed.mirror.remote)
    return Restoration({"shop": hands}, shop.clock, SystemClock())


async def test_image_and_environment_go_back_together_in_one_commit(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": "# ours\n" + rollout()}, {"web.yaml": "# ours\n" + rollout(BAD, extra=LEVEL)})
    assert shop.origin.read("web.yaml").decode() == "# ours\n" + rollout()
    assert len(shop.origin.log("%H")) == 3
    release = await newest(shop)
    assert release.status.restore is not None
    assert (release.status.restore.state, release.status.restore.sha) == (RestoreState.PUSHED, shop.origin.head())
    assert (release.status.restore.attempts, release.status.phase) == (1, "Closed")
    image, *level = sorted(release.status.restore.changes, key=lambda change: not change.field.endswith("image"))
    assert (image.file, image.old, image.new) == ("web.yaml", BAD, "registry.example.com/web:1.0")
    assert level and all(one.old and not one.new for one in level), "the diff of the commit as a person reads it"


async def test_the_commit_says_whose_release_it_undoes(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    release = await newest(shop)
    (subject,) = shop.origin.log("%s")[:1]
    assert subject == "Restore web in demo: failed"
    message = "\n".join(shop.origin.log("%B"))
    assert f"Reconciler-Release: shop/demo/shop/{release.name}" in message
    assert f"Reconciler-Restores: {release.spec.commit.sha}" in message
    assert f"web.yaml:21 spec.template.spec.containers[0].image: {BAD} -> registry.example.com/web:1.0" in message


async def test_a_config_value_goes_back_in_its_own_file(shop: Desk) -> None:
    good = {"web.yaml": rollout(extra=FROM_CONFIG), "settings.yaml": config("settings", "1")}
    await rejected(shop, {**good}, {"settings.yaml": config("settings", "999")})
    assert shop.origin.read("settings.yaml").decode() == config("settings", "1")
    assert shop.origin.read("web.yaml").decode() == rollout(extra=FROM_CONFIG)


async def test_what_others_pushed_meanwhile_is_kept(shop: Desk) -> None:
    shop.push({"web.yaml": rollout(), "other.yaml": config("other")})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    shop.push({"other.yaml": config("other", "2"), "web.yaml": "# a note\n" + rollout(BAD, spec="  revisionHistoryLimit: 3\n")})
    await shop.lost()
    assert shop.origin.read("other.yaml").decode() == config("other", "2")
    assert shop.origin.read("web.yaml").decode() == "# a note\n" + rollout(spec="  revisionHistoryLimit: 3\n")


async def test_a_value_that_somebody_corrected_is_left_alone(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    await shop.say(phase="Progressing", currentPodHash="h2")
    await shop.judge(2)
    head = shop.push({"web.yaml": rollout("registry.example.com/web:6.6.7")})
    await shop.lost()
    assert shop.origin.head() == head
    restore = (await newest(shop)).status.restore
    assert restore is not None and restore.state is RestoreState.SUPERSEDED


async def test_a_killed_attempt_finds_its_own_commit_again(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    head, release = shop.origin.head(), await newest(shop)
    forgotten = changed(release, status=changed(release.status, restore=Restore(state=RestoreState.WANTED)))
    shop.push({"README.md": "later"})
    again = await restoration(shop).restore(forgotten, [])
    assert (again.state, again.sha) == (RestoreState.PUSHED, head)
    assert len(shop.origin.log("%H")) == 4


async def test_a_commit_that_only_bears_our_trailer_restores_nothing(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()}, "good")
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)}, "bad")
    await shop.look()
    release = await newest(shop)
    shop.push({"README.md": "x"}, f"Restore\n\nReconciler-Release: shop/demo/shop/{release.name}")
    await shop.lost()
    assert shop.origin.read("web.yaml").decode() == rollout()


async def test_a_push_goes_with_the_credential_for_writing(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    release = await newest(shop)
    forgotten = changed(release, status=changed(release.status, restore=Restore(state=RestoreState.WANTED)))
    shop.push({"web.yaml": rollout(BAD)})
    with serve(shop.origin.path.parent) as host:
        host.users, host.writers = {"reader": "r"}, {"writer": "w"}
        for name, state in (("reader", RestoreState.WANTED), ("writer", RestoreState.PUSHED)):
            known = Credential(name, name[0])
            remote = remote_of(host.url(shop.origin.path.name), lambda known=known: known)
            assert (await restoration(shop, remote=remote).restore(forgotten, [])).state is state
    assert shop.origin.read("web.yaml").decode() == rollout()


@needs_ssh_keygen
async def test_an_unsigned_tip_is_neither_applied_nor_built_on(tmp_path: Path) -> None:
    key = ssh_key(tmp_path)
    trusted, committer = TrustedKeys(str(allowed_signers(tmp_path, key))), Committer(signing_key_file=str(key))
    async with desk(tmp_path, trusted_keys=trusted, committer=committer) as shop:
        shop.push({"web.yaml": rollout()}, "good")
        sign_tip(shop.origin, key)
        await shop.proven()
        shop.push({"web.yaml": rollout(BAD)}, "bad")
        sign_tip(shop.origin, key)
        await shop.look()
        unsigned = shop.push({"README.md": "slipped in"})
        with pytest.raises(Terminal, match="is not signed"):
            await shop.look()
        assert "is not signed; the keys of" in await shop.problems()
        with pytest.raises(Transient, match=r"not restored in Git yet: .*is not signed"):
            await shop.lost()
        assert shop.origin.head() == unsigned
        sign_tip(shop.origin, key)
        await shop.judge()
        assert shop.origin.read("web.yaml").decode() == rollout()
        await shop.look()
        assert await shop.problems() == ""


@needs_ssh_keygen
async def test_a_signature_that_the_source_would_not_take_is_proposed(tmp_path: Path) -> None:
    people, ours, forge = ssh_key(tmp_path, "people"), ssh_key(tmp_path, "ours"), Noting()
    settings = {"trusted_keys": TrustedKeys(str(allowed_signers(tmp_path, people))), "committer": Committer(signing_key_file=str(ours))}
    async with desk(tmp_path, forges={"shop": forge}, **settings) as shop:
        shop.push({"web.yaml": rollout()})
        sign_tip(shop.origin, people)
        await shop.proven()
        shop.push({"web.yaml": rollout(BAD)})
        head = sign_tip(shop.origin, people)
        await shop.look()
        await shop.lost()
        restore = (await newest(shop)).status.restore
        assert restore is not None and restore.state is RestoreState.PROPOSED
        assert "our own signature is not trusted" in restore.message
        assert shop.origin.head() == head and len(forge.proposed) == 1


async def test_a_policy_may_ask_for_a_proposal(tmp_path: Path) -> None:
    forge = Noting()
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        shop.push({"p.yaml": policy("p", "{onFailure: propose}"), "web.yaml": rollout()})
        await shop.look()
        await shop.follow_policy("p")
        await shop.proven()
        head = shop.push({"web.yaml": rollout(BAD)})
        await shop.look()
        await shop.lost()
        assert shop.origin.head() == head
        release = await newest(shop)
        (proposal,) = forge.proposed
        branch = "reconciler/restore/shop/demo/shop/web"
        assert (proposal.head, proposal.base, proposal.title) == (branch, "main", "Restore web in demo: failed")
        assert shop.origin.read("web.yaml", branch).decode() == rollout()
        assert "the policy asks for a proposal" in proposal.body and proposal.body.startswith("```")
        assert release.status.restore is not None and release.status.restore.pull == "https://git.example.com/shop/pull/8"


async def test_a_branch_that_takes_only_proposals_gets_one(tmp_path: Path) -> None:
    forge = Noting()
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        shop.push({"web.yaml": rollout()})
        await shop.proven()
        shop.push({"web.yaml": rollout(BAD)})
        await shop.look()
        hook = shop.origin.path / "hooks" / "pre-receive"
        shop.origin.refuse("")
        protect = "case $ref in refs/heads/main) echo 'GH006: protected branch' >&2; exit 1;; esac"
        hook.write_text(f"#!/bin/sh\nwhile read a b ref; do {protect}; done\n")
        await shop.lost()
        (proposal,) = forge.proposed
        assert "protected branch" in proposal.body


async def test_after_two_restores_within_an_hour_a_person_is_asked(tmp_path: Path) -> None:
    forge = Noting()
    async with desk(tmp_path, forges={"shop": forge}) as shop:
        await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
        for attempt in range(2):
            await shop.look()
            shop.push({"web.yaml": rollout(BAD)}, f"again {attempt}")
            await shop.look()
            await shop.judge()
        states = [parse_release(r).status.restore for r in await shop.releases()][1:]
        assert [state.state for state in states if state] == [RestoreState.PUSHED, RestoreState.PUSHED, RestoreState.PROPOSED]
        assert "2 times within the hour" in forge.proposed[0].body


async def test_while_git_is_frozen_nothing_is_pushed(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    shop.push({"web.yaml": rollout(BAD)}, "again")
    head, release = shop.origin.head(), await newest(shop)
    wanted = changed(release, name="other", status=changed(release.status, restore=Restore(state=RestoreState.WANTED)))
    with pytest.raises(Fenced):
        await restoration(shop, Fence(Gate(lambda: "frozen"))).restore(wanted, [])
    assert shop.origin.head() == head


async def test_a_server_that_refuses_us_is_asked_again_later(shop: Desk) -> None:
    shop.push({"web.yaml": rollout()})
    await shop.proven()
    shop.push({"web.yaml": rollout(BAD)})
    await shop.look()
    shop.origin.refuse("this repository is archived")
    with pytest.raises(Transient, match="this repository is archived") as caught:
        await shop.lost()
    assert caught.value.retry_after is not None
    restore = (await newest(shop)).status.restore
    assert restore is not None and restore.state is RestoreState.WANTED and "this repository is archived" in restore.message
    (shop.origin.path / "hooks" / "pre-receive").unlink()
    await shop.judge()
    assert shop.origin.read("web.yaml").decode() == rollout()


async def test_a_source_that_is_not_followed_is_waited_for(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    shop.push({"web.yaml": rollout(BAD)}, "again")
    release = await newest(shop)
    wanted = changed(release, status=changed(release.status, restore=Restore(state=RestoreState.WANTED)))
    waiting = await Restoration({}, shop.clock, SystemClock()).restore(wanted, [])
    assert (waiting.state, waiting.message) == (RestoreState.WANTED, "source shop is not followed: follow it again, or revert by hand")
    back = await restoration(shop).restore(changed(wanted, status=changed(wanted.status, restore=waiting)), [])
    assert (back.state, shop.origin.read("web.yaml").decode()) == (RestoreState.PUSHED, rollout())


async def test_a_history_that_nobody_has_any_more_costs_the_direct_push_and_not_the_restore(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    release = await newest(shop)
    assert release.spec.previous is not None
    shop.push({"web.yaml": rollout(BAD)}, "again")
    lost = changed(release, spec=changed(release.spec, previous=changed(release.spec.previous, sha="0" * 40)))
    ended = await restoration(shop).restore(changed(lost, name="other"), [])
    assert (ended.state, shop.origin.read("web.yaml", ended.branch).decode()) == (RestoreState.PROPOSED, rollout())
    too_large = changed(lost.spec, previous=changed(lost.spec.previous, content=Content()))
    assert (await restoration(shop).restore(changed(lost, spec=too_large), [])).state is RestoreState.IMPOSSIBLE


async def test_only_recent_restores_count_whatever_the_version(shop: Desk) -> None:
    await rejected(shop, {"web.yaml": rollout()}, {"web.yaml": rollout(BAD)})
    release = await newest(shop)
    assert release.status.decided_at is not None
    history = [release]
    for number, hours in enumerate((2, 3, 4)):
        at = release.status.decided_at - timedelta(hours=hours)
        assert release.status.restore is not None
        old = ReleaseStatus(verdict=release.status.verdict, decided_at=at, restore=changed(release.status.restore, pushed_at=at))
        history.append(changed(release, name=f"old-{number}", status=old))
    shop.push({"web.yaml": rollout(BAD)}, "again")
    fresh = changed(release, name="fresh", status=changed(release.status, restore=Restore(state=RestoreState.WANTED)))
    assert (await restoration(shop).restore(fresh, history)).state is RestoreState.PUSHED
    shop.push({"web.yaml": rollout(BAD)}, "again and again")
    other = changed(release, name="other", spec=changed(release.spec, identity="with another annotation"))
    assert (await restoration(shop).restore(fresh, [*history, other])).state is RestoreState.PROPOSED


def test_the_budget_of_an_hour_is_documented_as_it_is() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "configuration.md").read_text().split())
    number = {1: "one restore", 2: "two restores", 3: "three restores"}[RESTORES_AN_HOUR]
    assert RECENT.total_seconds() == 3600 and f"at most {number} of a workload are pushed within an hour" in page


# -- several at once ----------------------------------------------------------------------------------------------------------


async def failed_together(shop: Desk, *names: str) -> list[Release]:
    """Workloads whose versions came in one commit and failed, and none of which is restored yet."""
    shop.push({f"{name}.yaml": rollout(name=name) for name in names}, "good")
    for name in names:
        await shop.proven(name)
    shop.push({f"{name}.yaml": rollout(BAD, name=name) for name in names}, "bad")
    await shop.look()
    found = [parse_release(one) for one in await shop.releases()]
    bad = sorted((one for one in found if one.spec.previous is not None), key=lambda one: names.index(one.spec.workload.name))
    wanted = Restore(state=RestoreState.WANTED)
    return [changed(one, status=ReleaseStatus(verdict=Verdict.FAILED, decided_at=shop.clock.now(), restore=wanted)) for one in bad]


def pushes(shop: Desk) -> Path:
    """Where the server notes each push that it takes, by the number of its lines."""
    noted, hook = shop.origin.path / "pushes", shop.origin.path / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ncat >> {noted}\n")
    hook.chmod(0o755)
    return noted


async def test_what_fails_together_goes_back_in_two_pushes_with_a_commit_for_each(shop: Desk) -> None:
    bad, noted = await failed_together(shop, "web", "api", "cart", "mail"), pushes(shop)
    before, way = len(shop.origin.log("%H")), restoration(shop)
    done = await asyncio.gather(*(way.restore(one, [one]) for one in bad))
    assert [one.state for one in done] == [RestoreState.PUSHED] * 4 and len({one.sha for one in done}) == 4
    assert all(one.changes and one.pushed_at for one in done), "what was taken back is on record, however it was pushed"
    assert len(shop.origin.log("%H")) == before + 4 and len(noted.read_text().splitlines()) <= 2
    for name in ("web", "api", "cart", "mail"):
        assert shop.origin.read(f"{name}.yaml").decode() == rollout(name=name)


async def test_one_that_asks_for_a_proposal_keeps_the_others_from_nothing(shop: Desk) -> None:
    bad, way = await failed_together(shop, "web", "api", "cart"), restoration(shop)
    ask = changed(bad[1], status=changed(bad[1].status, restore=Restore(state=RestoreState.WANTED, mode=RestoreMode.PROPOSE)))
    done = await asyncio.gather(*(way.restore(one, [one]) for one in (bad[0], ask, bad[2])))
    assert [one.state for one in done] == [RestoreState.PUSHED, RestoreState.PROPOSED, RestoreState.PUSHED]
    assert shop.origin.read("web.yaml").decode() == rollout() and shop.origin.read("cart.yaml").decode() == rollout(name="cart")


async def test_a_server_that_refuses_several_commits_is_asked_for_each(shop: Desk) -> None:
    bad, hook = await failed_together(shop, "web", "api", "cart"), shop.origin.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ntest "$(git rev-list --count $2..$3)" = 1 || { echo one at a time >&2; exit 1; }\n')
    hook.chmod(0o755)
    way, before = restoration(shop), len(shop.origin.log("%H"))
    done = await asyncio.gather(*(way.restore(one, [one]) for one in bad))
    assert [one.state for one in done] == [RestoreState.PUSHED] * 3 and len(shop.origin.log("%H")) == before + 3
    assert {one.sha for one in done} <= set(shop.origin.log("%H"))


async def test_who_is_cancelled_in_the_queue_holds_nobody_up(shop: Desk) -> None:
    bad, way = await failed_together(shop, "web", "api", "cart"), restoration(shop)
    before = len(shop.origin.log("%H"))
    tasks = [asyncio.create_task(way.restore(one, [one])) for one in bad]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    assert (await tasks[2]).state is RestoreState.PUSHED
    assert len(shop.origin.log("%H")) == before + 1, "what was cancelled is nobody's to push"
    assert shop.origin.read("cart.yaml").decode() == rollout(name="cart")


async def test_a_freeze_stops_all_of_them_and_each_says_so(shop: Desk) -> None:
    bad = await failed_together(shop, "web", "api", "cart")
    before, way = shop.origin.head(), restoration(shop, Fence(Gate(lambda: "frozen")))
    done = await asyncio.gather(*(way.restore(one, [one]) for one in bad), return_exceptions=True)
    assert all(isinstance(one, Fenced) for one in done) and shop.origin.head() == before
