"""What makes an object a hook, and when it runs: Argo CD's words, and Helm's as Argo CD maps them."""

from typing import Any

import pytest

from reconciler.kernel.identity import Manifest
from reconciler.sources.hooks import HookDeletion, HookPhase, hook_of, is_hook
from reconciler.sources.rewrites import moved_objects
from tests.kit.desk import config
from tests.kit.manifests import parsed

PRE, SYNC, POST, FAIL = HookPhase
BEFORE, SUCCEEDED, FAILED = HookDeletion
HOOK, DELETION = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"
HELM, HELM_DELETION = "helm.sh/hook", "helm.sh/hook-delete-policy"


def annotated(**annotations: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": annotations}}


@pytest.mark.parametrize(
    ("annotations", "phases"),
    [
        ({HOOK: "PreSync"}, (PRE,)),
        ({HOOK: "PostSync, Sync"}, (SYNC, POST)),
        ({HOOK: "SyncFail"}, (FAIL,)),
        ({HOOK: "presync"}, ()),
        ({HOOK: ""}, ()),
        ({HELM: "pre-install"}, (PRE,)),
        ({HELM: "pre-install,pre-upgrade"}, (PRE,)),
        ({HELM: "post-install,pre-upgrade"}, (PRE, POST)),
        ({HELM: "post-upgrade"}, (POST,)),
        ({HELM: "test"}, ()),
        ({HELM: "pre-delete"}, ()),
        ({HELM: "pre-install", HOOK: "PostSync"}, (POST,)),
    ],
)
def test_a_hook_runs_in_the_phases_that_its_annotations_name(annotations: dict[str, str], phases: tuple[HookPhase, ...]) -> None:
    manifest = annotated(**annotations)
    assert is_hook(manifest)
    assert hook_of(manifest).phases == phases


@pytest.mark.parametrize("annotations", [{}, {HELM: "crd-install"}, {HELM: ""}, {"other": "PreSync"}])
def test_any_other_object_is_applied(annotations: dict[str, str]) -> None:
    assert not is_hook(annotated(**annotations))


@pytest.mark.parametrize(
    ("annotations", "deletions"),
    [
        ({HOOK: "Sync"}, {BEFORE}),
        ({HOOK: "Sync", DELETION: "HookSucceeded"}, {SUCCEEDED}),
        ({HOOK: "Sync", DELETION: "HookSucceeded,HookFailed"}, {SUCCEEDED, FAILED}),
        ({HOOK: "Sync", DELETION: "nonsense"}, {BEFORE}),
        ({HELM: "pre-install", HELM_DELETION: "before-hook-creation,hook-succeeded"}, {BEFORE, SUCCEEDED}),
        ({HELM: "pre-install", HELM_DELETION: "hook-failed"}, {FAILED}),
        ({HELM: "pre-install", HELM_DELETION: "hook-failed", DELETION: "HookSucceeded"}, {SUCCEEDED}),
        ({HOOK: "Sync", HELM_DELETION: "hook-failed"}, {BEFORE}),
    ],
)
def test_its_object_is_removed_as_its_policy_says(annotations: dict[str, str], deletions: set[HookDeletion]) -> None:
    assert hook_of(annotated(**annotations)).deletions == deletions


@pytest.mark.parametrize(
    ("annotations", "unserved"),
    [
        ({HOOK: "PreSync,PreDelete"}, ("hook PreDelete is never run here",)),
        ({HOOK: "presync"}, ("hook presync is never run here",)),
        ({HOOK: "Skip"}, ()),
        ({HELM: "pre-install,post-delete"}, ("hook post-delete is never run here",)),
        ({HELM: "crd-install,pre-install"}, ()),
        ({HOOK: "Sync", DELETION: "Never"}, ("hook-delete-policy Never means nothing here",)),
    ],
)
def test_what_means_nothing_here_is_told(annotations: dict[str, str], unserved: tuple[str, ...]) -> None:
    assert hook_of(annotated(**annotations)).unserved == unserved


def test_only_skip_is_held_by_git_and_never_applied() -> None:
    assert hook_of(annotated(**{HOOK: "Skip"})).skipped and not hook_of(annotated(**{HOOK: "PreSync"})).skipped


def hooked(name: str, key: str = "name") -> str:
    return config("x").replace("metadata: {name: x, ", f"metadata: {{{key}: {name}, annotations: {{{HOOK}: PreSync}}, ")


def test_hooks_are_none_of_a_sources_objects_and_a_generated_name_is_nobodys() -> None:
    found = parsed(a=config("a"), b=hooked("b"), c=hooked("c-", "generateName"), d=hooked("d-", "generateName"))
    assert [located.key[2] for located in found.manifests] == ["a"]
    assert [located.key[2] for located in found.hooks] == ["b", "", ""]
    assert found.find("ConfigMap", "shop", "b") is None
    assert found.problems == ()


def test_a_hook_and_an_object_that_claim_one_name_are_a_problem() -> None:
    found = parsed(a=config("a"), b=hooked("a"))
    assert len(found.problems) == 1 and "keep one of the two" in str(found.problems[0])
    assert found.contested(found.hooks[0]) and found.contested(found.manifests[0])


def test_a_hook_that_moves_with_a_restored_value_is_counted_as_moved() -> None:
    before, after = parsed(a=config("a"), b=hooked("b")), parsed(a=config("a"), b=hooked("b").replace("'1'", "'2'"))
    assert moved_objects(before, after) == ["ConfigMap shop/b"] and moved_objects(before, before) == []
    many = [parsed(a=hooked("a-", "generateName").replace("'1'", value), b=hooked("b-", "generateName")) for value in ("'1'", "'2'")]
    assert len(moved_objects(*many)) == 1
