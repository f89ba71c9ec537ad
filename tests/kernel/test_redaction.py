"""Secrets are masked in every spelling that an endpoint may echo, and numbers and words beside them stay what they are."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.redaction import MASK, Redactor, smells

CANARY = 'cánary/"+&<7b3=?> x\\y'
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda s: json.dumps(s)[1:-1],
    lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    lambda s: json.dumps(json.dumps(s))[1:-1],
    lambda s: json.dumps(s, ensure_ascii=False)[1:-1].replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    lambda s: json.dumps(s, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    lambda s: quote(s, safe=""),
    lambda s: quote(s, safe="").lower() if s.islower() else quote(s),
    quote_plus,
    html.escape,
    repr,
    lambda s: s.encode().hex(),
    lambda s: base64.b64encode(s.encode()).decode(),
    lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    lambda s: base64.b64encode(f"u:{s}".encode()).decode(),
    lambda s: base64.b64encode(f"user:{s}:tail".encode()).decode(),
    lambda s: base64.b64encode(f"x{s}".encode()).decode(),
)


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("around", ["{}", "before {} after", '["{}",1]', '{{"token":"{}"}}', "https://h/{}/x"])
def test_a_secret_is_masked_in_every_spelling_and_place(spell: Callable[[str], str], around: str) -> None:
    told = Redactor([CANARY]).text(around.format(spell(CANARY)))
    assert spell(CANARY) not in told and MASK in told
    assert base64.b64encode(CANARY.encode()).decode()[4:16] not in told


@pytest.mark.parametrize(
    "stored", ["hunter2-long\n", "  hunter2-long \r\n", "first-line-1\nhunter2-long\n", '{"user": "ann", "pin": "hunter2-long"}']
)
def test_a_secret_is_known_without_the_line_ends_of_its_file_and_line_by_line(stored: str) -> None:
    assert "hunter2-long" not in Redactor([stored]).text("refused hunter2-long")


def test_a_document_of_a_thousand_texts_is_known_by_a_bounded_number_of_them() -> None:
    assert repr(Redactor([json.dumps([f"hunter-{number:04}" for number in range(1000)])])) == "Redactor(200 secrets)"


@pytest.mark.parametrize("stored", ['{"pin": "hunter22"}', "first-line\nhunter22"])
def test_a_part_of_a_secret_counts_from_eight_signs_on(stored: str) -> None:
    assert Redactor([stored]).text("refused hunter22") == f"refused {MASK}"
    assert Redactor([stored.replace("hunter22", "hunter2")]).text("refused hunter2") == "refused hunter2"


def test_two_secrets_side_by_side_are_two_masks() -> None:
    assert Redactor(["abcdef", "ghijkl"]).text("abcdefghijkl") == MASK + MASK


@pytest.mark.parametrize(("before", "after"), [("", ""), ("said ", ""), ("", ", he said"), ("x:", ":y")])
def test_of_a_text_only_the_word_of_base64_that_holds_a_secret_is_masked(before: str, after: str) -> None:
    for inside in (f"{CANARY}:tail", f"user:{CANARY}", f"xy{CANARY}:t"):
        encoded = base64.b64encode(inside.encode()).decode()
        assert Redactor([CANARY]).text(before + encoded + after) == before + MASK + after
    assert Redactor([CANARY]).text(f"a {encoded} b {encoded} c") == f"a {MASK} b {MASK} c"


def test_overlapping_secrets_leave_nothing_of_each_other() -> None:
    assert Redactor(["abcdef", "defghi"]).text("xabcdefghix") == f"x{MASK}x"
    assert Redactor(["hunter", "hunter22", ""]).text("refused hunter22 and hunter") == f"refused {MASK} and {MASK}"


@pytest.mark.parametrize(
    ("secret", "text", "told"),
    [
        ("9", "0.95", "0.95"),
        ("9", "[9,95]", "[9,95]"),
        ("9", '"9"', f'"{MASK}"'),
        ("abc", "token abc refused, abcd not", f"token {MASK} refused, abcd not"),
        ("abc", "abc", MASK),
        ("", "text", "text"),
        (" \n", "a b", "a b"),
        ("8080", "port 8080", f"port {MASK}"),
    ],
)
def test_short_secrets_are_masked_only_where_they_stand_alone(secret: str, text: str, told: str) -> None:
    assert Redactor([secret]).text(text) == told


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("https://user:hunter2@host/x", "hunter2"),
        ("see //x https://tok@host", "tok@"),
        ("GET /x?a=1&access_token=hunter2&b=2", "hunter2"),
        ("https://h/?key=hunter2", "hunter2"),
        ("https://h/?X-Amz-Signature=hunter2", "hunter2"),
        ("Authorization: Basic aHVudGVyMg==", "aHVudGVyMg"),
        ("{'authorization': 'Bearer hunter2'}", "hunter2"),
        ("sent Bearer abcdefghijk1234", "abcdefghijk1234"),
        ("token ghp_0123456789abcdefghij refused", "0123456789abcdefghij"),
    ],
)
def test_what_looks_like_a_credential_is_masked_though_nobody_named_it(text: str, gone: str) -> None:
    assert gone not in Redactor().text(text)


def test_ordinary_words_and_numbers_stay() -> None:
    text = "Basic authentication failed at https://host/path?page=2&sort=a with 0.5 and user@example.com"
    assert Redactor(["hunter2"]).text(text) == text


def test_a_document_is_masked_at_every_depth_and_its_numbers_stay() -> None:
    told = Redactor(["hunter2"]).tree({"a": ["x hunter2", {"hunter2": 1.5}], "b": b"hunter2", "api_token": {"x": 1}, "n": None})
    assert told == {"a": [f"x {MASK}", {MASK: 1.5}], "b": MASK, "api_token": MASK, "n": None}


def test_names_that_smell() -> None:
    assert all(map(smells, ("Authorization", "X-Api-Key", "git_password", "Set-Cookie", "clientSecret", "token_file", "key")))
    assert not any(map(smells, ("Content-Type", "monkey", "source", "author", "keyboard", "signal")))


def test_a_redactor_shows_no_secret_of_its_own() -> None:
    assert "hunter2" not in repr(Redactor(["hunter2"]).also(["hunter3"]))


@given(st.text(min_size=4, max_size=40).filter(lambda s: len(s.strip()) >= 4), st.text(max_size=40), st.text(max_size=40))
def test_no_secret_survives_between_any_texts(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    assert MASK in redactor.text(before + secret + after)
    if not set(secret.strip()) & set(MASK):
        assert secret.strip() not in redactor.text(f" {secret} ")


def test_a_long_answer_full_of_secrets_is_masked_in_no_time() -> None:
    encoded = base64.b64encode(b"hunter2-hunter2").decode()
    text = encoded * 100_000 + "hunter2-hunter2" * 100_000 + "://" * 100_000 + "a" * 1_000_000
    told = Redactor(["hunter2-hunter2"]).text(text)
    assert "hunter2" not in told and encoded not in told


def test_a_document_is_read_to_a_bounded_depth_and_below_it_all_is_masked() -> None:
    def nested(depth: int) -> object:
        value: object = 1
        for _ in range(depth):
            value = [value]
        return value

    assert Redactor().tree(nested(50)) == nested(50)
    assert MASK in json.dumps(Redactor().tree(nested(51)))
