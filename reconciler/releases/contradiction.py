"""What a policy promises and a Rollout makes impossible: refused with both names, before people rely on it (ADR 0010)."""

from reconciler.kernel.identity import Manifest, name_of
from reconciler.releases.policy import ReleasePolicy


def contradiction(policy: ReleasePolicy, rollout: Manifest | None) -> str | None:
    """Why this policy cannot be kept for a Rollout, with what to do; None when it can."""
    if rollout is None or policy.after_promotion is None or not _shrinks(rollout):
        return None
    return (
        f"ReleasePolicy {policy.name} watches after promotion and keeps the old version warm, "
        f"dynamicStableScale of Rollout {name_of(rollout)} shrinks it while traffic moves: take one of the two away"
    )


def _shrinks(rollout: Manifest) -> bool:
    found: object = rollout.get("spec")
    for field in ("strategy", "canary", "dynamicStableScale"):
        found = found.get(field) if isinstance(found, dict) else None
    return found is True
