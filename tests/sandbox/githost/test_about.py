"""REST: the repository, its branches and their rules."""

from pathlib import Path

from tests.kit.githost import REPO, api, git_host


async def test_the_user_and_their_rights_are_shown(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host, "reader") as reader, api(host) as bot:
        assert (await reader.get("user")).json()["login"] == "reader"
        shown = (await reader.get(f"repos/{REPO}")).json()
        assert (shown["default_branch"], shown["clone_url"]) == ("main", host.clone_url(REPO))
        assert (shown["permissions"]["push"], (await bot.get(f"repos/{REPO}")).json()["permissions"]["push"]) == (False, True)


async def test_branches_show_their_tip_and_protection(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        side = await host.push_files(REPO, "feature/x", {"a": b"1"}, "Side")
        await host.protect(REPO, "main")
        assert (await client.get(f"repos/{REPO}/branches/feature/x")).json() == {
            "name": "feature/x",
            "commit": {"sha": side},
            "protected": False,
        }
        assert (await client.get(f"repos/{REPO}/branches/main")).json()["protected"]
        assert [b["name"] for b in (await client.get(f"repos/{REPO}/branches")).json()] == ["feature/x", "main"]


async def test_only_rulesets_are_shown_as_rules(tmp_path: Path) -> None:
    async with git_host(tmp_path) as host, api(host) as client:
        path = f"repos/{REPO}/rules/branches/main"
        await host.protect(REPO, "main")
        assert (await client.get(path)).json() == []
        await host.protect(REPO, "main", ruleset=True)
        assert [rule["type"] for rule in (await client.get(path)).json()] == ["pull_request"]
