"""Why a Rollout is not there, as far as anybody recorded a reason. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.kernel.frozen import Frozen
from reconciler.releases.model import Release
from reconciler.views.freeze import freeze_sentence, unfreeze_command
from reconciler.views.why.explanation import Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A Rollout that is asked about and not there, and everything that speaks of its name."""

    namespace: str
    name: str
    problems: tuple[str, ...] = ()
    """Problems of sources that name it."""
    asked_by: str = ""
    """The source whose inventory asks for it."""
    release: Release | None = None
    """The newest release of this name."""
    deployed: bool = False
    """A Deployment of this name is there."""
    frozen: Sequence[Frozen] = ()
    flags: str = ""

    @property
    def place(self) -> str:
        return f"{self.namespace}/{self.name}"


def absent(absence: Absence) -> Explanation | None:
    """Why it is not there; None when nothing at all speaks of it."""
    found = _refused(absence) or _wanted(absence) or _forgotten(absence) or _plain(absence)
    if found is None:
        return None
    return replace(found, frozen=freeze_sentence(absence.frozen), problems=absence.problems)


def _refused(absence: Absence) -> Explanation | None:
    if not absence.problems:
        return None
    said = f"There is no Rollout {absence.place}: {absence.problems[0]}"
    return Explanation(sentence=said, rule="source", next="correct it in Git and push")


def _wanted(absence: Absence) -> Explanation | None:
    if not absence.asked_by:
        return None
    said = f"There is no Rollout {absence.place} although source {absence.asked_by} asks for it"
    if absence.frozen:
        held = f"{said}: {freeze_sentence(absence.frozen)}"
        return Explanation(sentence=held, next=unfreeze_command(absence.frozen, absence.flags))
    return Explanation(
        sentence=f"{said}: it was deleted, or is not applied yet", rule="source", next="it is applied at the next look at Git"
    )


def _forgotten(absence: Absence) -> Explanation | None:
    if absence.release is None:
        return None
    return Explanation(
        sentence=f"There is no Rollout {absence.place} any more: no source asks for it, and release {absence.release.name} is its last",
        object=f"Release {absence.namespace}/{absence.release.name}",
        next=f"reconciler releases show {absence.release.name} -n {absence.namespace}{absence.flags}",
    )


def _plain(absence: Absence) -> Explanation | None:
    if not absence.deployed:
        return None
    return Explanation(
        sentence=f"There is no Rollout {absence.place}, only a Deployment: no policy adopts it",
        object=f"Deployment {absence.place}",
        next="write a Rollout, or a ReleasePolicy with `rollout` that adopts the Deployment (docs/configuration.md)",
    )
