"""The share that a canary serves, in words: for the pull request, the command line and the console. Pure."""

from reconciler.releases.share.record import ObservedShare, ShareFinding


def share_lines(known: ObservedShare | None) -> list[str]:
    """What was found, and what keeps it from being looked at; nothing while nothing is observed."""
    if known is None:
        return []
    found = [finding_words(known.found)] if known.found is not None else []
    return [*found, *([f"the share served could not be measured: {known.problem}"] if known.problem else [])]


def mismatch_words(known: ObservedShare | None) -> str:
    """The mismatch; empty while the canary serves what it should, as far as is known."""
    found = known.found if known is not None else None
    return finding_words(found) if found is not None and found.mismatch else ""


def finding_words(found: ShareFinding) -> str:
    met = f"the canary served {found.served:g} % of {found.requests:.0f} requests at weight {found.configured:g} %"
    if not found.mismatch:
        return f"{met}: as routed (± {found.tolerated:g})"
    return f"{met}, more than {found.tolerated:g} points apart: another writer may hold the route, or the mesh does not follow it"
