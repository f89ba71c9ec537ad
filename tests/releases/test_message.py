"""What people are told: the numbers are there, and nothing of a stranger's text becomes markup, mention, comment or table."""

import re

import pytest
from msgspec.structs import replace

from reconciler.releases.announce.message import comment, commit_context, commit_description, commit_state, headline, restore_commit
from reconciler.releases.model import Accepted, Change, Evidence, Release, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verdict
from reconciler.sources.model import Pull
from tests.kit.releases import NOW, PREVIOUS, release

HOSTILE = "@everyone `x` | <img src=x> <!-- y --> #12 [a](http://e.vil)\n\n# title *b* --> ``` end"


def decided(verdict: Verdict, reason: str = "success-rate Failed: 2 failed", **known: object) -> Release:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=verdict, reason=reason, decided_at=NOW, **known)  # type: ignore[arg-type]
    return release(status=status)


def hostile() -> Release:
    row = Evidence(run=HOSTILE, metric=HOSTILE, phase="Failed", condition=HOSTILE, values=(HOSTILE,), failed=2, limit="failureLimit 1")
    change = Change(file=f"a/{HOSTILE}.yaml", line=3, field=HOSTILE, old=HOSTILE, new=HOSTILE)
    status = ReleaseStatus(
        phase=ReleasePhase.CLOSED,
        verdict=Verdict.FAILED,
        reason=HOSTILE,
        decided_at=NOW,
        held=True,
        evidence=(row,),
        restore=Restore(state=RestoreState.IMPOSSIBLE, message=HOSTILE),
    )
    return release(status=status, changes=(change,), pull=Pull(number=1, title=HOSTILE))


def without_code(markup: str) -> str:
    """What a reader's browser reads as markup: the text outside code spans."""
    return re.sub(r"(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", markup)


def test_every_verdict_has_a_headline_and_a_state() -> None:
    for verdict in Verdict:
        assert headline(decided(verdict))
        assert commit_state(decided(verdict)) in {"success", "failure", "error"}


def test_a_release_on_its_way_is_pending_and_says_where_it_stands() -> None:
    watching = release(status=ReleaseStatus(phase=ReleasePhase.WATCHING))
    assert commit_state(watching) == "pending"
    assert "being watched" in headline(watching)
    assert "Now: step 1 of 3" in comment("demo", [watching], {watching.name: "step 1 of 3"})
    ended = decided(Verdict.FAILED)
    assert "Now:" not in comment("demo", [ended], {ended.name: "step 1 of 3"}) + comment("demo", [watching], {})


def test_a_promotion_without_measurement_does_not_claim_to_be_proven() -> None:
    assert headline(decided(Verdict.PASSED, unmeasured=True)) == "✅ promoted, unmeasured"
    assert "proven" in headline(decided(Verdict.PASSED)) and "unmeasured" not in headline(decided(Verdict.PASSED))


def test_not_enough_evidence_says_where_users_are() -> None:
    assert headline(decided(Verdict.NOT_ENOUGH_EVIDENCE)) == "⚪ not enough evidence — traffic is back on the version before"
    assert "traffic is back" not in headline(decided(Verdict.NOT_ENOUGH_EVIDENCE, promoted_at=NOW))


def test_a_version_that_a_person_called_proven_is_said_to_be_that_persons() -> None:
    accepted = decided(Verdict.NOT_ENOUGH_EVIDENCE, promoted_at=NOW, accepted=Accepted(by="ann", at=NOW))
    assert headline(accepted) == "✅ called proven by ann"
    assert "reconciler accept" not in comment("demo", [accepted], {})
    assert "reconciler accept web -n shop" in comment("demo", [decided(Verdict.NOT_ENOUGH_EVIDENCE, promoted_at=NOW)], {})
    assert "reconciler accept" not in comment("demo", [decided(Verdict.NOT_ENOUGH_EVIDENCE)], {})


@pytest.mark.parametrize(
    ("verdict", "companion", "warned"), [(Verdict.HELD, True, True), (Verdict.HELD, False, False), (Verdict.FAILED, True, False)]
)
def test_only_beside_another_applier_a_held_version_may_be_deployed_all_the_same(verdict: Verdict, companion: bool, warned: bool) -> None:
    held = release(status=decided(verdict).status, companion=companion)
    assert ("whoever applies here may deploy it" in headline(held)) is warned


def test_could_not_measure_is_an_error_and_no_failure() -> None:
    assert commit_state(decided(Verdict.COULD_NOT_MEASURE)) == "error"
    assert "reconciler retry web -n shop" in comment("demo", [decided(Verdict.COULD_NOT_MEASURE)], {})


def test_a_description_fits_and_is_one_line() -> None:
    long = decided(Verdict.FAILED, reason="x" * 100 + "\n" + "y" * 100)
    assert len(commit_description(long)) == 140
    assert "\n" not in commit_description(long)
    assert commit_description(release(status=ReleaseStatus())) == headline(release(status=ReleaseStatus()))


def test_one_workload_in_one_environment_has_one_status_context() -> None:
    assert commit_context(release()) == "reconciler/shop/demo/shop/web"


def test_a_comment_shows_numbers_rule_and_what_to_do() -> None:
    row = Evidence(
        run="r", metric="success-rate", phase="Failed", condition="succeeds when x", values=("[0.4]",), failed=2, limit="failureLimit 1"
    )
    failed = decided(Verdict.FAILED, held=True, evidence=(row,), restore=Restore(state=RestoreState.PUSHED, sha="d" * 40))
    said = comment("demo", [failed], {})
    assert "| `success-rate` | Failed | 0 / 2 / 0 | `[0.4]` | `succeeds when x, failureLimit 1` |" in said
    assert f"Git was restored by commit `{'d' * 12}`." in said
    assert "`reconciler hold lift web-bad -n shop`" in said


def test_a_metric_without_a_value_tells_what_it_was_answered() -> None:
    row = Evidence(run="r", metric="m", phase="Error", values=(), error=3, message="no such host", limit="failureLimit 0")
    assert "| `m` | Error | 0 / 0 / 3 | `no such host` |" in comment("demo", [decided(Verdict.COULD_NOT_MEASURE, evidence=(row,))], {})


@pytest.mark.parametrize("state", list(RestoreState))
def test_every_way_of_restoring_has_a_sentence(state: RestoreState) -> None:
    said = comment("demo", [decided(Verdict.FAILED, restore=Restore(state=state, sha="abc", message="why {sha}", pull="branch x"))], {})
    assert len(said.split("\n\n")) == 4


def test_the_address_of_a_proposal_is_a_link_and_everything_else_is_code() -> None:
    def proposed(pull: str) -> str:
        return comment("demo", [decided(Verdict.FAILED, restore=Restore(state=RestoreState.PROPOSED, pull=pull))], {})

    assert "proposed in https://git.example.com/a/b/pull/3: it needs" in proposed("https://git.example.com/a/b/pull/3")
    assert "proposed in `branch reconciler/restore/demo/x`" in proposed("branch reconciler/restore/demo/x")
    assert "`https://x.example/) @ann`" in proposed("https://x.example/) @ann")


def test_hostile_text_mentions_nobody_and_hides_nothing() -> None:
    outside = without_code(comment(HOSTILE, [hostile()], {}))
    assert not re.search(r"@\w", outside)
    assert "<!--" not in outside and "<img" not in outside
    assert not re.search(r"(?<!\\)\[a", outside)
    assert "://e.vil" not in outside


def test_hostile_text_cannot_end_a_table_row_or_begin_a_line() -> None:
    lines = comment(HOSTILE, [hostile()], {}).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    cells = [len(re.findall(r"(?<!\\)\|", row)) - 1 for row in rows]
    assert cells == [4, 4, 4, 5, 5, 5]
    assert not [line for line in lines if line.startswith(("# ", "```", "-->"))]


def test_a_restore_commit_says_what_why_and_whose() -> None:
    text = restore_commit(decided(Verdict.FAILED, reason="error rate 7 % over 1 %"), ["web.yaml:14 image: a -> b"])
    assert text.subject == "Restore web in demo: failed"
    assert text.body == "error rate 7 % over 1 %.\n\n- web.yaml:14 image: a -> b"
    assert text.trailers["Reconciler-Release"] == "shop/demo/shop/web-bad"
    assert text.trailers["Reconciler-Restores"] == "c" * 40


def test_a_way_back_to_a_version_that_was_never_proven_says_so() -> None:
    restored = decided(Verdict.FAILED, restore=Restore(state=RestoreState.PUSHED, sha="abc"))
    assert "never proven" not in comment("demo", [restored], {})
    unproven = replace(restored, spec=replace(restored.spec, previous=replace(PREVIOUS, proven=False)))
    assert "It leads to `web:1.0`, which served before this release and was never proven." in comment("demo", [unproven], {})


@pytest.mark.parametrize(
    ("template", "subject"),
    [
        ("", "Restore web in demo: failed"),
        ("revert({workload}): restore {environment}, {verdict}", "revert(web): restore demo, failed"),
        ("fix({namespace}/{workload}): {source} {other} {", "fix(shop/web): shop {other} {"),
    ],
)
def test_the_first_line_of_a_restore_may_follow_the_rules_of_a_repository(template: str, subject: str) -> None:
    assert restore_commit(decided(Verdict.FAILED), ["f: a -> b"], template).subject == subject


def test_a_template_gives_no_mention_and_no_directive_a_way_through() -> None:
    subject = restore_commit(decided(Verdict.FAILED), ["f: a -> b"], "{workload} @ann [skip ci]").subject
    assert "@ann" not in subject and "[skip ci]" not in subject


def test_a_restore_commit_mentions_nobody_and_closes_nothing() -> None:
    reason = "metric @everyone Failed: Closes #7"
    text = restore_commit(decided(Verdict.FAILED, reason=reason), ["web.yaml:3 env[0].value: @ann -> Fixes shop/web#12 [skip ci]"])
    assert not re.search(r"@\w|#\d|\[skip ci\]", f"{text.subject}\n{text.body}")
    assert "everyone" in text.body and "shop/web" in text.body


def test_what_is_held_beside_another_applier_is_not_called_not_deployed() -> None:
    status = ReleaseStatus(phase=ReleasePhase.CLOSED, verdict=Verdict.HELD, held=True)
    assert "is not deployed" in headline(release(status=status))
    beside = headline(release(status=status, companion=True))
    assert "whoever applies here may deploy it" in beside and "not deployed" not in beside


def test_a_long_reason_is_wrapped_and_a_value_keeps_to_its_line() -> None:
    text = restore_commit(decided(Verdict.FAILED, reason="word " * 60), ["f: a\n\nReconciler-Release: shop/other -> b"])
    assert max(map(len, text.body.splitlines())) <= 100
    assert not [line for line in text.body.splitlines() if line.startswith("Reconciler-")]
