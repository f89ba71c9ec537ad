"""The table of behaviours and the even spread of errors."""

import asyncio

import pytest
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours, ErrorPattern, normalised, repository_of


@pytest.mark.parametrize("spelling", ["web", "web:latest", "docker.io/library/web", "docker.io/web:latest"])
def test_spellings_of_one_image_are_one_entry(spelling: str) -> None:
    assert Behaviours({"web": Behaviour("1")})[spelling].version == "1"


def test_a_pinned_digest_finds_the_entry_of_its_tag() -> None:
    table = Behaviours({"registry:5000/web:2": Behaviour("2")})
    assert table["registry:5000/web:2@sha256:abc"].version == "2"
    assert "registry:5000/web:3" not in table
    assert normalised("registry:5000/web") == "registry:5000/web:latest"


def test_a_digest_is_the_pinned_one_then_the_tables_then_one_of_its_own() -> None:
    table = Behaviours({"web:1": Behaviour("1", digest="sha256:one"), "web:2": Behaviour("2")})
    assert table.digest("web:1@sha256:pinned") == "sha256:pinned"
    assert table.digest("web:1") == "sha256:one"
    assert table.digest("web:2") == table.digest("docker.io/library/web:2") != table.digest("web:3")


def test_a_repository_keeps_the_port_of_its_registry() -> None:
    assert repository_of("registry:5000/team/web:2@sha256:abc") == "registry:5000/team/web"


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3, 1.0])
def test_errors_are_exactly_the_asked_share(rate: float) -> None:
    pattern = ErrorPattern("shop/web-1")
    failed = [pattern.next_fails(Behaviour("1", error_rate=rate), "/") for _ in range(1000)]
    assert sum(failed) == round(1000 * rate)


def test_errors_are_evenly_spread_and_the_same_at_every_run() -> None:
    behaviour = Behaviour("1", error_rate=0.25)
    runs = [[pattern.next_fails(behaviour, "/") for _ in range(40)] for pattern in (ErrorPattern("a"), ErrorPattern("a"))]
    assert runs[0] == runs[1]
    assert all(sum(runs[0][start : start + 4]) == 1 for start in range(0, 40, 4))


def test_a_path_of_its_own_rate_leaves_the_others_alone() -> None:
    pattern = ErrorPattern("a")
    behaviour = Behaviour("1", error_rate_by_path={"/pay": 1.0})
    assert pattern.next_fails(behaviour, "/pay/now")
    assert not pattern.next_fails(behaviour, "/")


def test_an_image_can_be_bad_only_under_load() -> None:
    pattern = ErrorPattern("a")
    behaviour = Behaviour("1", errors_after_requests=3)
    assert [pattern.next_fails(behaviour, "/") for _ in range(5)] == [False, False, False, True, True]


async def test_whoever_waits_learns_of_a_change() -> None:
    table = Behaviours()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = group.create_task(table.change())
        await asyncio.sleep(0)
        table["web:1"] = Behaviour("1")
    assert waiting.done()
