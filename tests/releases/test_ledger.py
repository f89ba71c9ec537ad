"""What was proven is kept in Git notes: written from Releases, made anew from them, never over somebody else's (ADR 0041)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.app.wiring import write_remote
from reconciler.forges.plain import Plain
from reconciler.git.notes import Notes
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key
from reconciler.kernel.resources import RELEASES
from reconciler.kube.fence import Fenced
from reconciler.releases.apply_ledger import LedgerController
from reconciler.releases.ledger import (
    LONGEST_NOTE,
    METRICS,
    VALUES,
    Proof,
    arrivals,
    changed_notes,
    is_dated,
    last_proven,
    notes_ref,
    proof_of,
    proofs_in,
    with_proofs,
)
from reconciler.releases.model import Accepted, Evidence, Lost, Release, ReleaseStatus, Verdict
from reconciler.releases.restore.restoring import Hands
from reconciler.sources.model import Commit
from tests.kit.desk import Desk, desk, rollout
from tests.kit.releases import NOW, release
from tests.kit.repositories import git

REF = "refs/notes/reconciler/shop/demo"
KEY = Key("ledger", "", "shop")


def ended(verdict: Verdict = Verdict.PASSED, *, name: str = "web-x", minutes: int = 0, **known: Any) -> Release:
    return release(name, status=ReleaseStatus(verdict=verdict, decided_at=NOW + timedelta(minutes=minutes), **known))


def proof(found: Release) -> Proof:
    line = proof_of(found)
    assert line is not None
    return line


# -- lines ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.PASSED])
def test_what_was_not_proven_is_no_line(verdict: Verdict) -> None:
    assert proof_of(ended(verdict)) is None
    assert proof_of(ended(verdict, accepted=Accepted(by="ann", at=NOW))) is not None


def test_what_no_commit_asked_for_or_has_no_verdict_is_no_line() -> None:
    found = ended()
    assert proof_of(replace(found, spec=replace(found.spec, commit=Commit(sha="")))) is None
    assert proof_of(release()) is None


def test_a_line_says_what_was_proven_and_by_what_within_bounds() -> None:
    evidence = Evidence(run="r", metric="success", phase="Successful", condition="result > 1", values=("2",) * 90, passed=90)
    found = proof(ended(evidence=(evidence,) * 90))
    assert (found.images, found.commit, found.verdict) == ({"web": "web:1.1"}, "c" * 40, "passed")
    assert len(found.evidence) == METRICS and len(found.evidence[0].values) == VALUES and found.evidence[0].passed == 90
    assert "identity" not in with_proofs("", [found]), "it is a hash of Secrets too, and Git is read by many"


def test_a_note_keeps_what_others_wrote_and_one_line_for_each_release() -> None:
    before = "reviewed by Bo\n" + with_proofs("", [proof(ended(name="a")), proof(ended(name="b"))]) + "{not json\n"
    lost = proof(ended(name="a", lost=Lost(by="ann", at=NOW)))
    after = with_proofs(before, [lost])
    assert after.splitlines()[:2] == ["reviewed by Bo", "{not json"]
    assert [(line.release, line.lost) for line in proofs_in(after)] == [("a", "distrusted by ann"), ("b", "")]
    assert with_proofs(after, [lost]) == after
    assert proofs_in("[" * 100_000) == proofs_in('{"release": 1}') == ()


def test_only_what_changes_is_written_and_no_note_grows_without_end() -> None:
    one = proof(ended())
    assert changed_notes({}, [one]) == {"c" * 40: with_proofs("", [one])}
    assert changed_notes({"c" * 40: with_proofs("", [one])}, [one]) == {}
    assert changed_notes({"c" * 40: "x" * LONGEST_NOTE}, [one]) == {}


def test_the_last_proven_version_is_the_newest_that_nothing_speaks_against() -> None:
    first, second = proof(ended(name="a")), proof(ended(name="b", minutes=1))
    lost = proof(ended(name="c", minutes=2, lost=Lost(by="ann", at=NOW)))
    written = arrivals([(NOW.timestamp() + 120, with_proofs("", [first, second, lost]).splitlines())], NOW + timedelta(hours=1))
    assert last_proven([first, second, lost], ("shop", "web"), written) == second
    assert last_proven([lost], ("shop", "web"), written) is None and last_proven([first], ("other", "web"), written) is None


def test_a_line_was_there_at_the_earliest_moment_that_its_commit_or_a_later_one_says() -> None:
    one, ahead = proof(ended(name="a")), proof(ended(name="b", minutes=60))
    start, lines = int(NOW.timestamp()), with_proofs("", [one, ahead]).splitlines()
    for history, now, believed in (
        ([(start + 3600, lines)], start + 7200, True),
        ([(start + 3600, lines)], start + 60, False),
        ([(start + 60, ()), (start + 3600, lines)], start + 7200, False),
        ([(start + 3300, lines)], start + 7200, True),
        ([(start + 3299, lines)], start + 7200, False),
        ([(start + 3600, lines), (start, lines)], start + 7200, True),
        ([(start + 3600, ["{}", "not ours"])], start + 7200, False),
    ):
        arrived = arrivals(history, datetime.fromtimestamp(now, UTC))
        assert is_dated(ahead, arrived) is believed
        assert last_proven([one, ahead], ("shop", "web"), arrived) == (ahead if believed or not arrived else one)


@pytest.mark.parametrize(
    "name", ["refs/heads/main", "refs/notes/../x", "refs/notes/-x", "refs/notes/a b", "refs/notes/x.lock", "refs/notes"]
)
def test_a_name_that_is_no_ref_of_notes_is_refused(name: str) -> None:
    with pytest.raises(Terminal, match="is no name of notes"):
        Notes(None, name)  # type: ignore[arg-type]


# -- writing --------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, ledger=True) as found:
        found.push({"web.yaml": rollout()}, "good")
        await found.proven()
        await found.judge(1)
        yield found


def ledger(shop: Desk, permit: Any = lambda: None) -> LedgerController:
    hands = Hands(shop.followed, Plain(), permit, write_remote(shop.followed.settings))
    return LedgerController(shop.cache, {"shop": hands})


def notes(shop: Desk) -> list[Proof]:
    listed = git(shop.origin.path, "notes", f"--ref={REF}", "list").decode().split()
    return [line for blob in listed[::2] for line in proofs_in(git(shop.origin.path, "cat-file", "blob", blob).decode())]


def heads(shop: Desk) -> bytes:
    return git(shop.origin.path, "for-each-ref", "refs/notes")


async def test_a_proven_release_is_written_once(shop: Desk) -> None:
    kept = ledger(shop)
    await kept.reconcile(KEY)
    assert [(one.workload, one.commit, one.verdict) for one in notes(shop)] == [("web", shop.origin.head(), "passed")]
    before = heads(shop)
    await kept.reconcile(KEY)
    await ledger(shop).reconcile(KEY)
    assert heads(shop) == before, "neither a second pass nor a new life writes it again"


async def test_a_ledger_that_was_deleted_is_made_anew(shop: Desk) -> None:
    await ledger(shop).reconcile(KEY)
    before = notes(shop)
    git(shop.origin.path, "update-ref", "-d", REF)
    await ledger(shop).reconcile(KEY)
    assert notes(shop) == before != []


def said_by_bo(shop: Desk, commit: str) -> None:
    bo = ("-c", "user.name=Bo", "-c", "user.email=bo@example.com")
    git(shop.origin.path, *bo, "notes", f"--ref={REF}", "append", "-m", "seen by Bo", commit)


async def test_a_race_is_tried_again_on_top_of_what_came_first(shop: Desk) -> None:
    head, raced = str(shop.origin.head()), []

    def meanwhile() -> None:
        if not raced:
            raced.append(head)
            said_by_bo(shop, head)

    kept = ledger(shop, meanwhile)
    with pytest.raises(Transient, match="somebody pushed notes first"):
        await kept.reconcile(KEY)
    await kept.reconcile(KEY)
    assert len(notes(shop)) == 1 and b"seen by Bo" in git(shop.origin.path, "notes", f"--ref={REF}", "show", head)


async def test_what_another_wrote_meanwhile_stays(shop: Desk) -> None:
    kept, head = ledger(shop), str(shop.origin.head())
    await kept.reconcile(KEY)
    said_by_bo(shop, head)
    shop.push({"web.yaml": rollout("registry.example.com/web:1.1")}, "next")
    await shop.look()
    await shop.say(phase="Healthy", currentPodHash="h2", stableRS="h2")
    await shop.judge()
    await shop.judge(1)
    await kept.reconcile(KEY)
    assert len(notes(shop)) == 2 and b"seen by Bo" in git(shop.origin.path, "notes", f"--ref={REF}", "show", head)


async def test_a_freeze_and_a_server_that_takes_no_notes_are_said_and_tried_again(shop: Desk) -> None:
    def frozen() -> None:
        raise Fenced("frozen")

    with pytest.raises(Fenced):
        await ledger(shop, frozen).reconcile(KEY)
    hook = shop.origin.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no notes here >&2\nexit 1\n")
    hook.chmod(0o755)
    kept = ledger(shop)
    with pytest.raises(Terminal, match=r"no notes here.*ledger: false"):
        await kept.reconcile(KEY)
    hook.unlink()
    await kept.reconcile(KEY)
    assert len(notes(shop)) == 1


async def test_only_releases_of_its_sources_that_have_ended_wake_it(shop: Desk) -> None:
    (found,) = await shop.releases()
    kept = ledger(shop)
    assert list(kept.keys_for(RELEASES, found)) == [KEY]
    assert not list(kept.keys_for(RELEASES, {**found, "status": {}}))
    assert not list(kept.keys_for(RELEASES, {**found, "spec": {**found["spec"], "source": "other"}}))


def test_each_source_and_environment_has_notes_of_its_own() -> None:
    assert len({notes_ref("a", "x"), notes_ref("b", "x"), notes_ref("a", "y")}) == 3
