"""A Rollout in a list, and how it stands beside its newest release. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from reconciler.kernel.errors import MISSHAPEN
from reconciler.kernel.frozen import Frozen
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.moment import parse_moment
from reconciler.releases.model import Release
from reconciler.views.releases import ReleaseStanding, running_release, standing_of
from reconciler.views.tree import Family, facts, images_of, phase_of, tree
from reconciler.views.view import View, plain


class RolloutRow(View, frozen=True, kw_only=True):
    """One line of `list rollouts`: the plugin's columns, then where the version came from."""

    namespace: str
    name: str
    strategy: str
    status: str
    step: str
    set_weight: int | str
    ready: str
    desired: int
    up_to_date: int
    available: int
    created: datetime | None
    images: tuple[str, ...]
    """Those of the template that Git or a person asked for last."""
    release: ReleaseStanding | None
    """The release that this version came with."""


class RolloutStanding(View, frozen=True, kw_only=True):
    """What `status` prints: the Rollout's own phase, the newest release beside it, and whether a person froze anything."""

    name: str
    namespace: str
    phase: str
    message: str
    release: ReleaseStanding | None
    frozen: tuple[Frozen, ...]


def unreadable(error: Exception) -> str:
    """Why a Rollout is not shown, in a sentence."""
    return f"its Rollout cannot be read ({type(error).__name__}: {error}): compare it with what Git asks for"


def row_of(rollout: Manifest, releases: Iterable[Release]) -> RolloutRow:
    """The row of one Rollout with the release that it came with, empty but for its name where it cannot be read.

    A template that it borrows is known by that release.
    """
    try:
        return _row_of(rollout, running_release(rollout, releases))
    except MISSHAPEN:
        return RolloutRow(
            namespace=namespace_of(rollout),
            name=name_of(rollout),
            strategy="",
            status="Unreadable",
            step="-",
            set_weight="-",
            ready="-",
            desired=0,
            up_to_date=0,
            available=0,
            created=created_of(rollout),
            images=(),
            release=None,
        )


def _row_of(rollout: Manifest, release: Release | None) -> RolloutRow:
    known = facts(Family(rollout, (), (), ()))
    replicas = known["replicas"]
    return RolloutRow(
        namespace=namespace_of(rollout),
        name=name_of(rollout),
        strategy=known["strategy"],
        status=known["phase"],
        step=known["step"] or "-",
        set_weight=known["setWeight"] if known["strategy"] == "Canary" else "-",
        ready=f"{replicas['ready']}/{replicas['desired']}",
        desired=replicas["desired"],
        up_to_date=replicas["updated"],
        available=replicas["available"],
        created=created_of(rollout),
        images=tuple(images_of(rollout["spec"].get("template") or {})) or _released(release),
        release=standing_of(release) if release is not None else None,
    )


def status_of(rollout: Manifest, release: Release | None, frozen: Sequence[Frozen]) -> RolloutStanding:
    """How a Rollout stands, and what is beside it."""
    phase, message = phase_of(rollout)
    standing = standing_of(release) if release is not None else None
    return RolloutStanding(
        name=name_of(rollout), namespace=namespace_of(rollout), phase=phase, message=message, release=standing, frozen=tuple(frozen)
    )


def rollout_document(family: Family, releases: Sequence[Release], frozen: Sequence[Frozen]) -> dict[str, Any]:
    """A Rollout with everything it owns, as JSON; its releases are given oldest first."""
    running = running_release(family.rollout, releases)
    standing = {
        "runningRelease": plain(standing_of(running)) if running is not None else None,
        "latestRelease": plain(standing_of(releases[-1])) if releases else None,
    }
    beside = {
        "created": msgspec.to_builtins(created_of(family.rollout)),
        **standing,
        "frozen": [asdict(part) for part in frozen],
    }
    return {**facts(family), **beside, "tree": asdict(tree(family))}


def created_of(manifest: Manifest) -> datetime | None:
    """When the object was made; None where that is not written."""
    try:
        return parse_moment(str(manifest["metadata"].get("creationTimestamp") or ""))
    except ValueError:
        return None


def _released(release: Release | None) -> tuple[str, ...]:
    return tuple(release.spec.images.values()) if release is not None else ()
