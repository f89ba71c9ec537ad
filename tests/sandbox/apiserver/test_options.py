"""Options of writes and deletions."""

from typing import Any

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.options import Deletion, WriteOptions


def test_the_manager_is_named_or_taken_from_the_user_agent() -> None:
    assert WriteOptions.parse({"fieldManager": "me"}, "kubectl/v1").manager == "me"
    assert WriteOptions.parse({}, "kubectl/v1 (linux)").manager == "kubectl"


def test_dry_run_has_one_value() -> None:
    assert WriteOptions.parse({"dryRun": "All"}, "").dry_run
    with pytest.raises(Failure) as refused:
        WriteOptions.parse({"dryRun": "Some"}, "")
    assert refused.value.code == 422


def test_the_body_of_a_deletion_wins_over_its_query() -> None:
    deletion = Deletion.parse(
        {"propagationPolicy": "Orphan", "gracePeriodSeconds": "5"}, {"propagationPolicy": "Foreground", "gracePeriodSeconds": 0}
    )
    assert (deletion.propagation, deletion.grace) == ("Foreground", 0)
    assert Deletion.parse({"orphanDependents": "true"}, {}).propagation == "Orphan"
    assert Deletion.parse({}, {}) == Deletion(propagation="")


def test_a_deletion_says_once_what_becomes_of_dependents() -> None:
    assert Deletion.parse({}, {"orphanDependents": False}).propagation == "Background"
    with pytest.raises(Failure, match="cannot be both set"):
        Deletion.parse({}, {"orphanDependents": True, "propagationPolicy": "Background"})


@pytest.mark.parametrize("body", [{"propagationPolicy": "Sideways"}, {"gracePeriodSeconds": "soon"}, {"dryRun": ["Some"]}])
def test_values_that_do_not_exist_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Failure):
        Deletion.parse({}, body)


def test_only_an_apply_can_be_forced() -> None:
    options = WriteOptions.parse({"force": "true"}, "")
    assert options.of_patch(applies=True).force and options.of_patch(applies=True).patches
    with pytest.raises(Failure, match="may not be specified for non-apply patch"):
        options.of_patch(applies=False)


def test_unknown_validation_is_refused() -> None:
    with pytest.raises(Failure):
        WriteOptions.parse({"fieldValidation": "Loose"}, "")
