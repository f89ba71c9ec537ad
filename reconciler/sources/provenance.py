"""Who set a value: file and line from the parsed source, commit and pull request from facts that the hands collected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.git.objects import CommitFacts, Oid
from reconciler.sources.model import ChangedField, Provenance, Pull, commit_of


@dataclass(frozen=True, slots=True)
class History:
    """What is known about the commits between two snapshots, newest first.

    `lines` says which commit last set a line of a file (blame); `pulls` which pull request a commit came with;
    `rewritten` that the old snapshot is not an ancestor of the new one, so that no commit can be named.
    """

    commits: Sequence[CommitFacts]
    lines: Mapping[tuple[str, int], Oid] = field(default_factory=dict)
    pulls: Mapping[Oid, Pull] = field(default_factory=dict)
    rewritten: bool = False


def provenance(change: ChangedField, history: History) -> Provenance:
    """Who set a value: the commit that blame names, else the only one that touched the file, else none."""
    facts = None if history.rewritten else _commit(change, history)
    if facts is None:
        return Provenance(change, None, None)
    return Provenance(change, commit_of(facts), history.pulls.get(facts.oid))


def questions(changes: Sequence[ChangedField], history: History) -> tuple[tuple[str, int], ...]:
    """The lines that blame has to be asked about: those whose file more than one commit touched."""
    if history.rewritten:
        return ()
    places = {(change.after.file, change.after.line) for change in changes if change.after}
    return tuple(sorted(place for place in places if len(_touching(place[0], history)) > 1 and place not in history.lines))


def _commit(change: ChangedField, history: History) -> CommitFacts | None:
    place = change.location
    touching = _touching(place.file, history)
    if len(touching) == 1:
        return touching[0]
    if change.after is None:
        return touching[0] if touching else None
    oid = history.lines.get((place.file, place.line))
    return next((facts for facts in history.commits if facts.oid == oid), None)


def _touching(file: str, history: History) -> list[CommitFacts]:
    return [facts for facts in history.commits if file in facts.files]
