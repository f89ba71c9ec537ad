"""Documents as GitHub shows them."""

import pytest
from reconciler_sandbox.githost import views


@pytest.mark.parametrize(
    ("states", "combined"),
    [
        ([], "pending"),
        (["success"], "success"),
        (["success", "pending"], "pending"),
        (["pending", "error"], "failure"),
        (["failure", "success"], "failure"),
    ],
)
def test_the_worst_state_counts(states: list[str], combined: str) -> None:
    assert views.combined(states) == combined


def test_a_bot_is_told_from_a_user() -> None:
    assert views.user("app[bot]")["type"] == "Bot"
    assert views.user("ann")["type"] == "User"


def test_a_repository_has_its_addresses() -> None:
    shown = views.repository("http://127.0.0.1:80", "shop/manifests", "main", {})
    assert (shown["clone_url"], shown["ssh_url"]) == ("http://127.0.0.1:80/shop/manifests.git", "git@127.0.0.1:shop/manifests.git")
