"""Settings that are wrong anywhere, in any way, are refused with the field; nothing else is ever raised."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.app.settings.manifest import parse_settings
from reconciler.kernel.address import NOWHERE, is_web_address, split_address
from reconciler.kernel.strict import FieldError
from tests.kit.places import places, put

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
HOSTILE: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        float("nan"),
        float("inf"),
        "",
        " ",
        "x",
        "\0",
        "\ud800",
        "a" * 5000,
        "٣",
        "-5s",
        "99999999h",
        "1e400",
    ),
    *("2026-99-99T00:00:00Z", "0001-01-01T00:00:00Z", "http://[", "[::1", "https://h:99999/", "https://a\u2100b/", "../.."),
    *([], [None], [[]], {}, {"a": None}, {"": ""}, {1: 2}, b"x", datetime(2026, 1, 1), date(2026, 1, 1)),
]


def example() -> Any:
    """The file that the page shows."""
    found = re.search(r"## `reconciler.yaml`\s+```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return yaml.safe_load(found[1])


def test_the_page_shows_a_file_that_is_read() -> None:
    assert [source.name for source in parse_settings(example()).sources][:1] == ["shop"]


def test_whatever_is_wrong_wherever_is_refused_with_its_field() -> None:
    document, refused = example(), 0
    for at in places(document):
        for wrong in HOSTILE:
            try:
                parse_settings(put(document, at, wrong))
            except FieldError:
                refused += 1
    assert refused > 1000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"repository": "https://[git.example.com/a/b"}, "sources[0].repository: a repository's address must be https://"),
        ({"repository": "ftp://git.example.com/a/b"}, "sources[0].repository: a repository's address must be https://"),
        ({"repository": "http://git.example.com/a/b"}, "sources[0].repository: http://git.example.com would send manifests"),
        ({"forge": {"kind": "github", "api": "git.example.com", "tokenFile": "/t"}}, "sources[0].forge.api: is no address: write one like"),
    ],
)
def test_an_address_that_is_none_is_refused_where_it_stands(change: dict[str, Any], words: str) -> None:
    source = {"name": "shop", "repository": "https://git.example.com/a/b", "branch": "main", "environment": "production"}
    with pytest.raises(FieldError) as told:
        parse_settings({"sources": [{**source, **change}]})
    assert str(told.value).startswith(words)


@pytest.mark.parametrize("field", ["prometheus", "notifiers[0].url"])
@pytest.mark.parametrize("wrong", ["prometheus:9090", "http://", "https://[::1", "https://h:port/", "https://a b/", "file:///etc/passwd"])
def test_so_is_one_that_people_or_metrics_are_reached_at(field: str, wrong: str) -> None:
    document = {"prometheus": wrong} if field == "prometheus" else {"notifiers": [{"name": "chat", "kind": "webhook", "url": wrong}]}
    with pytest.raises(FieldError, match=re.escape(f"{field}: is no address: write one like https://")):
        parse_settings(document)


def test_the_parts_of_an_address_can_be_read_or_there_are_none() -> None:
    assert split_address("https://user@host:8443/path?a=b#c")[:3] == ("https", "user@host:8443", "/path")
    assert {split_address(text) for text in ("http://[", "http://h:x/", "http://h:99999", "http://a\u2100b/")} == {NOWHERE}
    assert is_web_address("http://[::1]:8080/x") and not is_web_address("//host/x") and not is_web_address("http://h/a\nb")
