"""Hooks: objects of Git that run once at a moment of a sync, as Argo CD's annotations and Helm's say it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.kernel.identity import Manifest, annotations_of

HOOK = "argocd.argoproj.io/hook"
DELETION = "argocd.argoproj.io/hook-delete-policy"
HELM_HOOK = "helm.sh/hook"
HELM_DELETION = "helm.sh/hook-delete-policy"
SKIP = "Skip"


class HookPhase(StrEnum):
    """When a hook runs, in this order; the last one only after another hook has failed."""

    PRE_SYNC = "PreSync"
    SYNC = "Sync"
    POST_SYNC = "PostSync"
    SYNC_FAIL = "SyncFail"


class HookDeletion(StrEnum):
    """When the object of a hook is removed."""

    BEFORE = "BeforeHookCreation"
    SUCCEEDED = "HookSucceeded"
    FAILED = "HookFailed"


HELM_PHASES: Mapping[str, HookPhase] = {
    "pre-install": HookPhase.PRE_SYNC,
    "pre-upgrade": HookPhase.PRE_SYNC,
    "post-install": HookPhase.POST_SYNC,
    "post-upgrade": HookPhase.POST_SYNC,
}
HELM_DELETIONS: Mapping[str, HookDeletion] = {
    "before-hook-creation": HookDeletion.BEFORE,
    "hook-succeeded": HookDeletion.SUCCEEDED,
    "hook-failed": HookDeletion.FAILED,
}
PHASES: Mapping[str, HookPhase] = {phase.value: phase for phase in HookPhase}
DELETIONS: Mapping[str, HookDeletion] = {deletion.value: deletion for deletion in HookDeletion}
NOT_A_HOOK = "crd-install"
"""Such an object of Helm's older days is applied like any other."""


@dataclass(frozen=True, slots=True)
class HookTerms:
    """When one object runs and when it is removed; `unserved` are the words that mean nothing here."""

    phases: tuple[HookPhase, ...] = ()
    deletions: frozenset[HookDeletion] = frozenset((HookDeletion.BEFORE,))
    skipped: bool = False
    """True for an object that Git holds and nobody applies."""
    unserved: tuple[str, ...] = ()


def is_hook(manifest: Manifest) -> bool:
    """True for an object that is not applied with the others."""
    annotations = annotations_of(manifest)
    if HOOK in annotations:
        return True
    return bool(moments := _words(annotations, HELM_HOOK)) and set(moments) != {NOT_A_HOOK}


def hook_of(manifest: Manifest) -> HookTerms:
    """What the annotations of a hook say. Argo CD's come before Helm's."""
    annotations = annotations_of(manifest)
    theirs = HOOK not in annotations
    moments = _words(annotations, HELM_HOOK if theirs else HOOK)
    phases = HELM_PHASES if theirs else PHASES
    asked = _words(annotations, DELETION) or (_words(annotations, HELM_DELETION) if theirs else ())
    policies = {**DELETIONS, **HELM_DELETIONS}
    known = frozenset(policies[word] for word in asked if word in policies)
    strange = [word for word in moments if word not in phases and word not in (SKIP, NOT_A_HOOK)]
    unkept = [word for word in asked if word not in policies]
    return HookTerms(
        phases=tuple(phase for phase in HookPhase if phase in {phases[word] for word in moments if word in phases}),
        deletions=known or HookTerms().deletions,
        skipped=SKIP in moments,
        unserved=(
            *(f"hook {word} is never run here" for word in strange),
            *(f"hook-delete-policy {word} means nothing here" for word in unkept),
        ),
    )


def _words(annotations: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in str(annotations.get(name) or "").split(",") if word.strip())
