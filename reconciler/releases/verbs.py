"""The patches behind the verbs of holds, the same from the command line and from a page; and what is put on record of a press. Pure."""

from collections.abc import Sequence

import msgspec

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import RELEASES
from reconciler.releases.model import Press, Release

PRESSES_KEPT, WORDS_KEPT = 50, 500
LIFTED: Manifest = {"held": False, "keepUntil": None}


def hold(releases: Sequence[Release], named: Release) -> tuple[Patch, ...]:
    """Hold a version back: it is not deployed again."""
    return _status(releases, named, {"held": True})


def lift(releases: Sequence[Release], named: Release) -> tuple[Patch, ...]:
    """Let a held version be deployed and judged again."""
    return _status(releases, named, LIFTED)


def end_inspection(releases: Sequence[Release], named: Release) -> tuple[Patch, ...]:
    """End the time for which a rejected version is kept to be looked at."""
    return _status(releases, named, {"keepUntil": None})


def recorded(release: Release, press: Press) -> Patch:
    """A press, put on record as open before it is done, over the version of the Release that was read."""
    return _presses(release, (*release.status.presses, msgspec.structs.replace(press, open=True))[-PRESSES_KEPT:])


def carried_out(release: Release, press: Press) -> Patch:
    """The record of a press that was done."""
    return _ended(release, press, "")


def taken_back(release: Release, press: Press, words: str) -> Patch:
    """The record of a press that was not done after all, with the reason."""
    return _ended(release, press, words[:WORDS_KEPT])


def _ended(release: Release, press: Press, refused: str) -> Patch:
    ended = msgspec.structs.replace(press, refused=refused, open=False)
    same = (press.by, press.at, press.verb)
    return _presses(release, tuple(ended if (one.by, one.at, one.verb) == same else one for one in release.status.presses))


def _presses(release: Release, presses: tuple[Press, ...]) -> Patch:
    version = {"metadata": {"resourceVersion": release.version}} if release.version else {}
    body = {**version, "status": {"presses": msgspec.to_builtins(presses)}}
    return Patch(ObjectRef(RELEASES, release.namespace, release.name), body, subresource="status")


def _status(releases: Sequence[Release], named: Release, status: Manifest) -> tuple[Patch, ...]:
    """For every release of the same version, the one that was named first."""
    same = sorted((r for r in releases if r.key == named.key and _same_version(r, named)), key=lambda r: r.name != named.name)
    return tuple(Patch(ObjectRef(RELEASES, one.namespace, one.name), {"status": status}, subresource="status") for one in same)


def _same_version(release: Release, named: Release) -> bool:
    """True for other attempts of a version, and for other templates with its images where the rejection holds all of these."""
    return release.spec.identity == named.spec.identity or (release.status.holds_images and release.spec.images == named.spec.images)
