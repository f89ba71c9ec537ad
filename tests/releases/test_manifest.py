"""Release objects: out and in again, and the smallest patch between two statuses."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.kernel.merge import merge_patch
from reconciler.releases.manifest import parse_release, parse_releases, render_release, status_patch
from reconciler.releases.model import Change, Evidence, ReleasePhase, ReleaseStatus, Restore, RestoreState, Verb, Verdict
from reconciler.sources.model import Pull
from tests.kit.releases import NOW, release
from tests.kit.store import merged

FULL = ReleaseStatus(
    phase=ReleasePhase.RESTORING,
    verdict=Verdict.FAILED,
    reason="why",
    decided_at=NOW,
    pod_hash="h",
    held=True,
    keep_until=NOW + timedelta(minutes=10),
    promoted_at=NOW,
    evidence=(Evidence(run="r", metric="m", phase="Failed", values=("1",), failed=2),),
    verbs=(Verb(verb="abort", at=NOW, reason="stuck"),),
    restore=Restore(state=RestoreState.WANTED, attempts=2),
    announced="abc",
    unmeasured=True,
)


def stored(status: ReleaseStatus = FULL) -> Manifest:
    change = Change(file="a.yaml", line=3, field="image", old="1", new="2")
    manifest = render_release(release(changes=(change,), pull=Pull(number=3)))
    metadata = {**manifest["metadata"], "uid": "u", "resourceVersion": "7", "creationTimestamp": "2026-11-25T03:00:00Z"}
    patch = status_patch(ReleaseStatus(), status) or {}
    return {**manifest, "metadata": metadata, **patch}


def test_what_was_rendered_is_parsed_again() -> None:
    found = parse_release(stored())
    assert found.status == FULL
    assert found.created == datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    assert (found.uid, found.version, found.key) == ("u", "7", ("shop", "Rollout", "web"))
    assert found.spec.changes[0].new == "2" and found.spec.pull == Pull(number=3)


def test_a_manifest_is_camel_case_without_defaults_and_labelled() -> None:
    manifest = render_release(release())
    assert manifest["metadata"]["labels"] == {"reconciler.dev/source": "shop", "reconciler.dev/workload": "web"}
    assert "pull" not in manifest["spec"] and "status" not in manifest
    assert manifest["spec"]["previous"]["podHash"] == "good1"


def test_a_label_fits_whatever_the_workload_is_called() -> None:
    long = release()
    named = replace(long, spec=replace(long.spec, workload=replace(long.spec.workload, name="w" * 62 + "-x")))
    assert render_release(named)["metadata"]["labels"]["reconciler.dev/workload"] == "w" * 62


def test_equal_statuses_need_no_patch() -> None:
    assert status_patch(FULL, FULL) is None


def test_what_went_back_to_its_default_is_removed() -> None:
    patch = status_patch(FULL, replace(FULL, held=False, keep_until=None))
    assert patch == {"status": {"held": None, "keepUntil": None}}


@pytest.mark.parametrize(("before", "after"), [(ReleaseStatus(), FULL), (FULL, ReleaseStatus()), (FULL, replace(FULL, restore=None))])
def test_a_patch_leads_from_one_status_to_the_other(before: ReleaseStatus, after: ReleaseStatus) -> None:
    manifest = merged(stored(before), status_patch(before, after) or {})
    assert parse_release(manifest).status == after


def test_a_lifted_hold_that_says_false_is_read_as_lifted() -> None:
    manifest = merged(stored(), {"status": {"held": False, "keepUntil": None}})
    assert not parse_release(manifest).status.held


@pytest.mark.parametrize("spec", [None, {}, {"workload": "web"}, {"identity": 3}])
def test_an_object_written_by_hand_that_does_not_fit_says_what_to_do(spec: object) -> None:
    with pytest.raises(Terminal, match=r"Release shop/odd: .*we write these objects; delete it"):
        parse_release({"metadata": {"name": "odd", "namespace": "shop"}, "spec": spec})


def test_the_patch_is_a_merge_patch() -> None:
    assert merge_patch({"a": 1, "b": 2}, {"b": 3}) == {"a": None, "b": 3}


def test_an_object_that_does_not_fit_costs_only_itself() -> None:
    odd = {"metadata": {"name": "odd", "namespace": "shop"}, "spec": "x"}
    assert [found.name for found in parse_releases([odd, stored(), odd])] == ["web-bad"]
