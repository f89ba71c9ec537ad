"""Kinds of forges by name."""

import pytest

from reconciler.forges.github import GitHub
from reconciler.forges.plain import Plain
from reconciler.forges.registry import ForgeTerms, forge, repository_of
from reconciler.kernel.errors import Terminal
from reconciler.web.client import open_client


async def token() -> str:
    return "t"


async def test_a_kind_is_its_forge() -> None:
    settings = ForgeTerms(repository="shop/manifests", token=token)
    async with open_client() as client:
        assert isinstance(forge("github", settings, client), GitHub)
        assert isinstance(forge("plain", settings, client), Plain)


async def test_an_unknown_kind_names_those_known() -> None:
    async with open_client() as client:
        with pytest.raises(Terminal, match="known are github, plain"):
            forge("sourceforge", ForgeTerms(repository="a/b", token=token), client)


@pytest.mark.parametrize("repository", ["", "a", "a/b/c", "a/b?x", "../b c"])
async def test_a_repository_that_is_not_owner_and_name_is_refused(repository: str) -> None:
    async with open_client() as client:
        with pytest.raises(Terminal, match="owner/name"):
            forge("github", ForgeTerms(repository=repository, token=token), client)


@pytest.mark.parametrize(
    "url",
    ["https://git.example.com/shop/manifests.git", "https://u:p@git.example.com/shop/manifests/", "git@git.example.com:shop/manifests.git"],
)
def test_the_repository_is_read_from_its_url(url: str) -> None:
    assert repository_of(url) == "shop/manifests"


@pytest.mark.parametrize("url", ["https://git.example.com/", "https://git.example.com/manifests.git", "manifests"])
def test_a_url_without_owner_and_name_is_refused(url: str) -> None:
    with pytest.raises(Terminal, match="owner/name"):
        repository_of(url)
