"""`reconciler rollback`: back to what the ledger calls proven, from a clone alone."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.cli import main
from reconciler.releases.ledger import Proof, with_proofs
from tests.app.cli.test_plan import BAD, Checkout
from tests.kit.layouts import IMAGE, rollout
from tests.kit.repositories import ENVIRONMENT

REF = "refs/notes/reconciler/shop/demo"
NEXT = f"{IMAGE}:1.1"


@pytest.fixture
def clone(tmp_path: Path) -> Checkout:
    found = Checkout(tmp_path / "clone")
    settings = "sources: [{name: shop, repository: 'https://git.example.com/x', branch: main, environment: demo}]\n"
    (tmp_path / "reconciler.yaml").write_text(settings)
    return found


def noted(clone: Checkout, commit: str, minute: int, **known: Any) -> None:
    at = datetime(2024, 11, 1, 12, minute, tzinfo=UTC)
    names = {"namespace": "shop", "workload": "web", "source": "shop", "environment": "demo", "verdict": "passed"}
    line = with_proofs("", [Proof(**{**names, "commit": clone.git("rev-parse", commit), "release": f"web-{minute}", "at": at, **known})])
    clone.git("notes", f"--ref={REF}", "add", "-f", "-m", line, commit)


@pytest.fixture
def proven(clone: Checkout) -> list[str]:
    """Two versions that were proven, and a bad one after them."""
    commits = [clone.commit({"web.yaml": rollout(image), "api.yaml": rollout("api:1", "api")}) for image in (f"{IMAGE}:1.0", NEXT)]
    for minute, commit in enumerate(commits):
        noted(clone, commit, minute, images={"web": f"{IMAGE}:1.{minute}"})
    clone.commit({"web.yaml": rollout(BAD), "api.yaml": rollout("api:2", "api")})
    return commits


def rolled_back(clone: Checkout, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    config = str(clone.top.parent / "reconciler.yaml")
    code = main.run(["rollback", "shop/web", "-C", str(clone.top), "-c", config, *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_it_says_the_way_back_and_writes_nothing(clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = clone.inside()
    code, said = rolled_back(clone, capsys, "--to", "last-proven")
    assert code == 0 and f"{BAD} -> {NEXT}" in said and f"commit {proven[1][:12]}, passed at 2024-11-01T12:01:00Z in demo" in said
    assert clone.inside() == before


def test_it_writes_one_workload_and_leaves_what_others_changed(
    clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = rolled_back(clone, capsys, "--write")
    assert code == 0 and clone.git("status", "--porcelain") == "M web.yaml"
    assert (clone.top / "web.yaml").read_text() == rollout(NEXT)
    assert clone.git("rev-parse", "HEAD") != proven[1], "it commits nothing"


def test_an_older_version_is_named_by_its_commit(clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{BAD} -> {IMAGE}:1.0" in rolled_back(clone, capsys, "--to", proven[0][:9])[1]
    code, said = rolled_back(clone, capsys, "--to", "abc")
    assert code == 3 and proven[0][:12] in said and proven[1][:12] in said


def test_what_lost_its_proof_is_passed_over(clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    noted(clone, proven[1], 1, lost="it leaks")
    assert f"{BAD} -> {IMAGE}:1.0" in rolled_back(clone, capsys)[1]


def test_a_tip_that_asks_for_it_needs_nothing(clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    clone.commit({"web.yaml": rollout(NEXT)})
    code, said = rolled_back(clone, capsys, "--write")
    assert (code, "nothing to write" in said, clone.git("status", "--porcelain")) == (0, True, "")


def test_work_that_is_not_committed_and_links_are_never_written_over(
    clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (clone.top / "web.yaml").write_text("mine\n")
    code, said = rolled_back(clone, capsys, "--write")
    assert code == 3 and "not committed" in said and (clone.top / "web.yaml").read_text() == "mine\n"
    outside = clone.top.parent / "outside.yaml"
    outside.write_text(rollout(BAD))
    (clone.top / "web.yaml").unlink()
    (clone.top / "web.yaml").symlink_to(outside)
    code, said = rolled_back(clone, capsys, "--write")
    assert code == 3 and "no plain file" in said and outside.read_text() == rollout(BAD)


def test_without_a_ledger_it_says_how_to_get_one(clone: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    clone.commit({"web.yaml": rollout()})
    code, said = rolled_back(clone, capsys)
    assert code == 3 and "git fetch origin '+refs/notes/reconciler/*:refs/notes/reconciler/*'" in said


def test_a_note_of_a_stranger_is_shown_in_plain_letters(clone: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    good = clone.commit({"web.yaml": rollout()})
    noted(clone, good, 1, images={"web": "\x1b[31mred"})
    clone.commit({"web.yaml": rollout(BAD)})
    assert "\x1b" not in rolled_back(clone, capsys)[1]


@pytest.mark.parametrize("forged", [{"source": "other"}, {"environment": "stage"}, {"commit": "1" * 40}, {"workload": "api"}])
def test_a_line_about_another_source_environment_or_commit_proves_nothing(
    forged: dict[str, str], clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    head = clone.git("rev-parse", "HEAD")
    names = {"namespace": "shop", "workload": "web", "source": "shop", "environment": "demo", "verdict": "passed", "commit": head}
    late = datetime(2024, 11, 2, tzinfo=UTC)
    clone.git("notes", f"--ref={REF}", "add", "-m", with_proofs("", [Proof(**{**names, "release": "x", "at": late, **forged})]), head)
    code, said = rolled_back(clone, capsys)
    assert code == 0 and f"{BAD} -> {NEXT}" in said and proven[1][:12] in said and "look at it" not in said


def _forged(clone: Checkout, commit: str, at: datetime, made: str = "") -> None:
    """A line with a date of its own, in a commit of notes with another."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(ENVIRONMENT, "GIT_COMMITTER_DATE", made or "2024-11-02T00:00:00Z")
        noted(clone, commit, 7, at=at, images={})


def test_a_line_with_a_date_that_is_still_to_come_is_not_the_newest(
    clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _forged(clone, "HEAD", datetime(2098, 1, 1, tzinfo=UTC), "2098-01-01T00:00:00Z")
    code, said = rolled_back(clone, capsys)
    assert code == 0 and f"{BAD} -> {NEXT}" in said
    assert "says 2098-01-01T00:00:00Z, later than it was written; it is passed over" in said


def test_a_date_that_was_to_come_when_it_was_written_does_not_win_once_it_has_passed(
    clone: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    good, newer, bad = (clone.commit({"web.yaml": rollout(image)}) for image in (f"{IMAGE}:1.0", NEXT, BAD))
    for commit, made in ((good, "2024-12-01T00:00:00Z"), (newer, "")):
        _forged(clone, commit, datetime.fromisoformat(made or "2024-11-01T23:59:00Z"), made)
    assert f"{BAD} -> {NEXT}" in rolled_back(clone, capsys)[1] and bad
    code, said = rolled_back(clone, capsys, "--to", good)
    assert code == 0 and "later than it was written; it is taken" in said, "a person may name it"


def test_a_commit_of_notes_that_says_it_is_old_hides_no_line_that_came_after_it(
    clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _forged(clone, proven[0], datetime(1999, 1, 1, tzinfo=UTC), "1999-01-01T00:00:00Z")
    assert f"{BAD} -> {IMAGE}:1.0" in rolled_back(clone, capsys)[1], "who wrote last is believed, with a caution"
    noted(clone, proven[1], 8, images={"web": NEXT})
    code, said = rolled_back(clone, capsys)
    assert code == 0 and f"{BAD} -> {NEXT}" in said and "look at it" not in said


def test_a_note_that_was_copied_to_another_commit_proves_nothing(
    clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for commit in proven:
        clone.git("notes", f"--ref={REF}", "copy", commit, "HEAD", "-f")
        clone.git("notes", f"--ref={REF}", "remove", commit)
    code, said = rolled_back(clone, capsys)
    assert code == 3 and "no ledger of source shop" in said


def test_a_commit_outside_of_history_and_images_that_do_not_fit_are_said(
    clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "look at it" not in rolled_back(clone, capsys)[1]
    clone.git("checkout", "--quiet", "-b", "elsewhere", proven[0])
    stray = clone.commit({"web.yaml": rollout(f"{IMAGE}:evil")})
    clone.git("checkout", "--quiet", "main")
    noted(clone, stray, 9, images={"web": NEXT})
    code, said = rolled_back(clone, capsys)
    assert code == 0 and f"commit {stray[:12]} is not in the history of HEAD" in said
    assert f"the commit asks for {IMAGE}:evil, which is not what the note says" in said


def test_a_version_or_a_tip_that_does_not_render_any_more_is_left_to_a_person(clone: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {"kustomization.yaml": "resources: [web.yaml, 'https://example.com/gone.yaml']\n"}
    good = clone.commit({"web.yaml": rollout(NEXT), **broken})
    noted(clone, good, 1, images={"web": NEXT})
    clone.commit({"web.yaml": rollout(BAD), "kustomization.yaml": "resources: [web.yaml]\n"})
    code, said = rolled_back(clone, capsys, "--write")
    assert code == 1 and "by hand only: " in said and clone.git("status", "--porcelain") == ""
    whole = clone.commit({"web.yaml": rollout(NEXT)})
    noted(clone, whole, 2, images={"web": NEXT})
    clone.commit({"web.yaml": rollout(BAD), **broken})
    code, said = rolled_back(clone, capsys, "--write")
    assert code == 1 and "by hand only: " in said and clone.git("status", "--porcelain") == ""


def test_a_commit_that_was_rewritten_away_is_named(clone: Checkout, proven: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    gone = "1" * 40
    line = with_proofs(
        "",
        [
            Proof(
                namespace="shop",
                workload="web",
                source="shop",
                environment="demo",
                verdict="passed",
                commit=gone,
                release="x",
                at=datetime(2024, 11, 2, tzinfo=UTC),
            )
        ],
    )
    blob = clone.git("notes", f"--ref={REF}", "add", "-f", "-m", line, "HEAD") or clone.git("notes", f"--ref={REF}", "list", "HEAD")
    tree = f"100644 blob {blob}\t{gone}\n"
    made = subprocess.run(["git", "mktree"], cwd=clone.top, input=tree.encode(), env=ENVIRONMENT, capture_output=True, check=True)
    commit = clone.git("commit-tree", made.stdout.decode().strip(), "-m", "notes")
    clone.git("update-ref", REF, commit)
    code, said = rolled_back(clone, capsys)
    assert code == 3 and f"commit {gone[:12]} cannot be read from this clone" in said


@pytest.mark.parametrize("words", [["web"], ["shop/"], ["/web"]])
def test_a_workload_without_its_namespace_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["rollback", *words]) == 2 and "NAMESPACE/NAME" in capsys.readouterr().err
