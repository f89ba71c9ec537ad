"""What a policy promises and a Rollout makes impossible: refused with both names, before people rely on it (ADR 0010)."""

from reconciler.kernel.identity import Manifest, name_of
from reconciler.releases.policies.policy import ReleasePolicy


def contradiction(policy: ReleasePolicy, rollout: Manifest | None) -> str | None:
    """Why this policy cannot be kept for a Rollout, with what to do; None when it can."""
    if rollout is None:
        return None
    if policy.compare is not None and not_comparable(rollout):
        return (
            f"ReleasePolicy {policy.name} compares two versions that both have users, "
            f"and the blue/green Rollout {name_of(rollout)} moves all users at once: take compare away, or use a canary"
        )
    if policy.after_promotion is None or _object(rollout, "spec", "strategy", "canary", "dynamicStableScale") is not True:
        return None
    return (
        f"ReleasePolicy {policy.name} watches after promotion and keeps the old version warm, "
        f"dynamicStableScale of Rollout {name_of(rollout)} shrinks it while traffic moves: take one of the two away"
    )


def not_comparable(rollout: Manifest) -> bool:
    """True when users are never on both versions at once."""
    return _object(rollout, "spec", "strategy", "blueGreen") is not None


def _object(rollout: Manifest, *path: str) -> object:
    """What stands at a path; None where nothing does."""
    found: object = rollout
    for field in path:
        found = found.get(field) if isinstance(found, dict) else None
    return found
