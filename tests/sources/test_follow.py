"""A source as its passes see it: the tip, what was earlier, and who touched what."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reconciler.git.errors import BranchGone
from reconciler.sources.settings import SopsSettings
from tests.kit.desk import Desk, config, desk
from tests.kit.repositories import Person
from tests.kit.sops import keyring

BOB = Person("Bob", "bob@example.com", at=1_700_000_500)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, path="env") as found:
        yield found


async def test_the_tip_is_the_folder_at_the_head_of_the_branch(shop: Desk) -> None:
    sha = shop.push({"env/a.yaml": config("a"), "elsewhere/b.yaml": config("b")})
    tip = await shop.followed.tip()
    assert tip.sha == sha
    assert [located.file for located in tip.parsed.manifests] == ["env/a.yaml"]


async def test_an_unmoved_branch_is_the_same_tip_and_a_moved_one_parses_only_what_changed(shop: Desk) -> None:
    shop.push({"env/a.yaml": config("a"), "env/b.yaml": config("b")})
    first = await shop.followed.tip()
    assert await shop.followed.tip() is first
    shop.push({"env/a.yaml": config("a", "2")})
    second = await shop.followed.tip()
    assert second.parsed.files["env/b.yaml"] is first.parsed.files["env/b.yaml"]
    assert second.parsed.files["env/a.yaml"] is not first.parsed.files["env/a.yaml"]


async def test_rewritten_history_is_said(shop: Desk) -> None:
    shop.push({"env/a.yaml": config("a")})
    assert not (await shop.followed.tip()).rewritten
    shop.origin.rewrite({"env/a.yaml": config("a", "2")})
    assert (await shop.followed.tip()).rewritten


async def test_a_branch_that_is_gone_is_said(shop: Desk) -> None:
    with pytest.raises(BranchGone, match="nothing is applied or pruned until it is back"):
        await shop.followed.tip()


async def test_an_earlier_commit_can_be_read_and_an_unknown_one_is_none(shop: Desk) -> None:
    old = shop.push({"env/a.yaml": config("a", "old")})
    shop.push({"env/a.yaml": config("a", "new")})
    await shop.followed.tip()
    earlier = await shop.followed.parsed_at(old)
    assert earlier is not None and earlier.manifests[0].manifest["data"] == {"a": "old"}
    assert await shop.followed.parsed_at("0" * 40) is None
    assert await shop.followed.parsed_at("") is None


async def test_the_origin_is_the_newest_commit_that_touched_any_of_the_files(shop: Desk) -> None:
    shop.push({"env/a.yaml": config("a"), "env/b.yaml": config("b")}, "first")
    by_bob = shop.origin.commit({"env/b.yaml": config("b", "2")}, "turn it up", author=BOB)
    tip = shop.push({"README.md": "x"}, "unrelated")
    await shop.followed.tip()
    commit = await shop.followed.origin(["env/a.yaml", "env/b.yaml"], tip)
    assert (commit.sha, commit.subject, commit.author) == (by_bob, "turn it up", "Bob <bob@example.com>")
    assert (await shop.followed.origin(["env/a.yaml"], tip)).subject == "first"
    assert (await shop.followed.origin(["env/b.yaml", "README.md"], tip)).subject == "unrelated"
    assert (await shop.followed.origin(["env/b.yaml"], by_bob)).sha == by_bob


async def test_a_merge_is_the_origin_of_nothing_that_its_parents_have(shop: Desk) -> None:
    shop.push({"env/a.yaml": config("a")}, "first")
    side = shop.origin.commit({"env/a.yaml": config("a", "2")}, "on the side", branch="side")
    shop.push({"README.md": "x"}, "meanwhile")
    merge = shop.origin.merge("side", {"env/a.yaml": config("a", "2")})
    await shop.followed.tip()
    assert (await shop.followed.origin(["env/a.yaml"], merge)).sha == side


async def test_a_file_name_is_no_pattern(shop: Desk) -> None:
    shop.push({"env/[a].yaml": config("a")}, "brackets")
    tip = shop.push({"env/a.yaml": config("b")}, "plain")
    await shop.followed.tip()
    assert (await shop.followed.origin(["env/[a].yaml"], tip)).subject == "brackets"


async def test_git_is_asked_only_when_there_may_be_news(shop: Desk) -> None:
    shop.push({"env/a.yaml": config("a")})
    first = await shop.followed.latest()
    moved = shop.push({"env/a.yaml": config("a", "2")})
    assert not shop.followed.news_expected
    assert await shop.followed.latest() is first
    shop.followed.expect_news()
    assert shop.followed.news_expected
    assert (await shop.followed.latest()).sha == moved


async def test_a_look_that_failed_is_still_due(shop: Desk) -> None:
    with pytest.raises(BranchGone):
        await shop.followed.latest()
    assert shop.followed.news_expected
    sha = shop.push({"env/a.yaml": config("a")})
    assert (await shop.followed.latest()).sha == sha


async def test_a_look_that_failed_later_is_still_due(shop: Desk) -> None:
    first = shop.push({"env/a.yaml": config("a")})
    await shop.followed.latest()
    moved = shop.push({"env/a.yaml": config("a", "2")})
    shop.origin.remove("main")
    shop.followed.expect_news()
    with pytest.raises(BranchGone):
        await shop.followed.latest()
    assert first != moved and shop.followed.news_expected
    shop.origin.restore("main", moved)
    assert (await shop.followed.latest()).sha == moved


async def test_what_could_not_be_decrypted_is_tried_again_though_the_branch_stands_still(tmp_path: Path) -> None:
    keys, key = keyring("toy", tmp_path / "keys"), tmp_path / "key"
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: demo}\nstringData: {password: hunter2-hunter2}\n"
    async with desk(tmp_path, path="env", sops=SopsSettings(program=keys.program, age_key_file=str(key))) as shop:
        shop.push({"env/s.yaml": keys.sealed("s.yaml", secret), "env/a.yaml": config("a")})
        before = await shop.followed.tip()
        assert [located.file for located in before.parsed.manifests] == ["env/a.yaml"]
        await asyncio.to_thread(shutil.copy, keys.key, key)
        after = await shop.followed.tip()
        assert (after.sha, len(after.parsed.manifests), after.parsed.problems) == (before.sha, 2, ())
        assert await shop.followed.tip() is after
