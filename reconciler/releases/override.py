"""A person's `undo` or `set image`: the live template is theirs until Git changes what it asks for (ADR 0021)."""

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.kernel.plan import Patch
from reconciler.rollouts.verbs import ref_of

OVERRIDE = "reconciler.dev/override"


def in_force(rollout: Manifest | None, identity: str) -> bool:
    """True when the Rollout runs what a person chose in place of this identity, which Git asked for then and still asks for."""
    return bool(identity) and overridden(rollout) == identity


def overridden(rollout: Manifest | None) -> str:
    """The identity that Git asked for when a person overrode it; empty where there is no override."""
    return annotations_of(rollout).get(OVERRIDE, "") if rollout is not None else ""


def override(rollout: Manifest, identity: str) -> Patch:
    """The mark that makes the verb after it hold until Git asks for another identity than this one (ADR 0021)."""
    return Patch(ref_of(rollout), {"metadata": {"annotations": {OVERRIDE: identity}}})
