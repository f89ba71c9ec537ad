"""A person calls the version that serves proven: what a verdict could not say, they answer for. Pure."""

from collections.abc import Sequence

from reconciler.kernel.errors import Terminal
from reconciler.releases.holds import serving
from reconciler.releases.model import Accepted, Lost, Release
from reconciler.rollouts.view import RolloutView


def to_accept(history: Sequence[Release], live: RolloutView) -> Release:
    """The release whose version serves everybody and is not proven. Raises Terminal, with what to do, when there is none."""
    name = f"Rollout {live.manifest['metadata'].get('namespace', '')}/{live.manifest['metadata'].get('name', '')}"
    if not live.promoted:
        raise Terminal(f"{name} is on its way to another version: promote or abort it first, then accept what serves")
    found = serving(history, live.stable)
    if found is None or found.status.pod_hash != live.stable:
        raise Terminal(f"{name}: no release brought the version that serves ({live.stable or 'none'}) here: push it, and it will be judged")
    if found.proven:
        raise Terminal(f"{name}: release {found.name} is proven already")
    return found


def to_distrust(history: Sequence[Release], name: str) -> Release:
    """The proven release whose proof a person takes away: the named one, else the newest. Raises Terminal when there is none."""
    found = [one for one in history if one.proven and name in ("", one.name)]
    if not found:
        raise Terminal(f"no release {f'{name} ' if name else ''}of it is proven: there is nothing to take away")
    return found[-1]


def distrusted_patch(lost: Lost) -> dict[str, object]:
    """What is merged into the release's status."""
    return {"status": {"lost": {"by": lost.by, "at": lost.at.isoformat(), "reason": lost.reason}}}


def accepted_patch(accepted: Accepted) -> dict[str, object]:
    """What is merged into the release's status."""
    reason = {"reason": accepted.reason} if accepted.reason else {}
    return {"status": {"accepted": {"by": accepted.by, "at": accepted.at.isoformat(), **reason}, "lost": None}}
