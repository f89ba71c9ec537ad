"""The page of played releases: what it draws, whose text it escapes, and what it may load (nothing)."""

import re

from reconciler_sandbox.rehearsal.played_page import played_page

from tests.kit.rehearsal import played

HOSTILE = "<script>alert(1)</script>"


def test_the_page_shows_users_pods_commits_laws_and_the_timeline_of_the_released_workload() -> None:
    shown = played_page("Releases", [played()])
    assert "every law and expectation held" in shown and "the verdict is passed" in shown
    assert "web:1.0 (old)" in shown and "search" not in shown
    assert '<span class="came">+image: 1.1' in shown
    assert re.search(r'class="at">0:00:10</td><td><code>web</code></td><td>Healthy', shown)
    assert re.search(r'class="at">before</td><td><code>web</code></td><td>Progressing', shown)


def test_users_of_a_version_are_drawn_from_the_push_until_the_end_at_half_of_the_height_when_it_has_half() -> None:
    shown = played_page("Releases", [played()])
    old, new = re.findall(r'<polygon .*?points="(.*?)"', shown)
    half = "93.0"  # between the top, 18, and the bottom, 168
    assert f"494.0,18.0 494.0,{half} 944.0,{half}" in old and f"944.0,{half} 494.0,{half} 494.0,18.0" in new
    assert old.startswith("44.0,18.0") and new.endswith("44.0,18.0"), "before its weight the new version has nothing"


def test_a_law_that_is_broken_is_named_with_what_was_wrong_and_its_timeline_is_open() -> None:
    bad = played("users meet a pod: 3.0 requests a second meet no ready pod", "every story comes to rest: not within 1:00:00")
    shown = played_page("Releases", [bad, played()])
    assert "in 1 of 2 releases something did not hold" in shown
    assert '<li class="broken"><b>✗</b> users meet a pod: 3.0 requests a second meet no ready pod</li>' in shown
    assert '<li class="broken"><b>✗</b> every story comes to rest: not within 1:00:00</li>' in shown
    assert '<li class="held"><b>✓</b> what waits says why</li>' in shown
    assert shown.count("<details open>") == 1


def test_a_strangers_text_is_text_and_nothing_may_be_loaded() -> None:
    shown = played_page(HOSTILE, [played(f"users meet a pod: {HOSTILE}", text=HOSTILE)])
    assert "<script" not in shown and shown.count("&lt;script&gt;") >= 5
    assert """content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"""" in shown
    assert not re.search(r"(?:src|href)=[\"'](?!#)", shown)
