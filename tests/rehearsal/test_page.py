"""The page shows everything, needs nothing, and lets no stranger's text become markup."""

import re

from reconciler_sandbox.rehearsal.page import diff_lines, markdown, page

from tests.kit.rehearsal import entry, outcome, report

EVIL = "<script>alert(1)</script>"


def test_the_page_shows_what_happened() -> None:
    text = page(report(entry("Ann pushes", "step"), entry("it holds", "outcome", came=outcome()), comment="**proven**"))
    for shown in ("all 1 expectations held", "Ann pushes", "<strong>proven</strong>", "shop/web:primary", "40 %", "success-rate", "0.95"):
        assert shown in text
    assert '<span class="gone">-image: 1.1' in text


def test_a_missed_expectation_comes_first() -> None:
    text = page(report(entry("b", "outcome", came=outcome("b", held=False, observed="42"))))
    assert "1 of 1 expectations missed" in text
    assert text.index("What was missed") < text.index("web — a canary")


def test_no_text_from_outside_becomes_markup() -> None:
    came = outcome(EVIL, held=False, observed=EVIL)
    comment = f"{EVIL}\n\n![x](https://evil.example/x.png)"
    text = page(report(entry(EVIL, "step"), entry(EVIL, "outcome", came=came), comment=comment, title=EVIL))
    assert "<script" not in text and "<img" not in text
    assert "&lt;script&gt;" in text


def test_the_page_needs_no_network() -> None:
    text = page(report(entry("a", "step"), comment="see https://example.com"))
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", text)
    assert "default-src 'none'" in text


def test_the_hidden_marker_of_a_comment_is_not_shown() -> None:
    assert "reconciler:v1" not in markdown("<!-- reconciler:v1 demo -->\n### Release") and "<h3>" in markdown("<!-- x -->\n### Release")


def test_a_script_address_is_no_link() -> None:
    assert "href" not in markdown("[click](javascript:alert(1))")


def test_a_bullet_of_the_message_is_no_removed_line() -> None:
    assert diff_lines("abc Restore\n\n- field: x\n\ndiff --git a/f b/f\n--- a/f\n-old\n+new") == [
        ("", "abc Restore"),
        ("", ""),
        ("", "- field: x"),
        ("", ""),
        ("head", "diff --git a/f b/f"),
        ("head", "--- a/f"),
        ("gone", "-old"),
        ("came", "+new"),
    ]
