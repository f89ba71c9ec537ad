"""What another manager changed of an object in place: sorted out, put on record, and brought back where its source says so.

What runtime owns is carried over first, so it is no drift; nor is what a rule leaves to others. An object that is changed again as often
as it is brought back is left as it is: two writers that fight restart pods for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from reconciler.kernel.identity import Manifest, annotations_of, name_of, namespace_of
from reconciler.kernel.moment import render_moment
from reconciler.sources.documents import Located
from reconciler.sources.drift import Drift, DriftedField, DriftPolicy, Healing, IgnoreRule, own_rule
from reconciler.sources.kinds import group_of, kind_key
from reconciler.sources.permission import described
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from reconciler.sync.drift.carry import carry_over
from reconciler.sync.drift.effective import DESIRED, RELEASE, SOURCE
from reconciler.sync.drift.ownership import LostField, Steps, lost_fields
from reconciler.sync.facts import SourceFacts, place_of

MARKS = (DESIRED, SOURCE, RELEASE)
VERBS = {"Rollout": (("spec", "paused"), ("spec", "restartAt"))}
"""What a person's verbs move on an object, and Git does not take back."""
PAUSES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5))
"""Before each time that an object is brought back; after the last of them it is left as it is."""
QUIET = timedelta(hours=1)
"""After so long without drift an object that was brought back begins anew."""
NAMED = 10
"""Fields of one object that are named on record."""
TOLD = 50
"""Objects of one source that are named on record."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """What was found on one object: what goes on record, and how it stands with bringing it back.

    `healing` is the record of it once it is written now; None where it is only told. `heal_at` is when it may be, if not now.
    """

    drift: Drift
    problem: RecordedProblem
    place: tuple[str, str, str, str]
    healing: Healing | None = None
    heal_at: datetime | None = None


def lost_in(facts: SourceFacts, wanted: Manifest, live: Manifest) -> tuple[LostField, ...]:
    """What another manager has of an object. A version of it is looked at once, however many passes see it."""
    known: dict[tuple[str, ...], tuple[tuple[str, str], tuple[LostField, ...]]] = facts.tip.parsed.derived.setdefault("lost", {})
    place, version = place_of(wanted), (str(live["metadata"].get("resourceVersion")), annotations_of(wanted)[DESIRED])
    found = known.get(place)
    if found is None or found[0] != version:
        found = known[place] = (version, lost_fields(wanted, live, MARKS))
    return found[1]


def drifted(facts: SourceFacts, located: Located, pair: tuple[Manifest, Manifest], now: datetime) -> Drifted | None:
    """The drift of one object, given as it is wanted and as it lives; None where there is none to be told of."""
    wanted, live = pair
    carried = carry_over(wanted, live, facts.owned)
    lost, verbs = lost_fields(carried, live, MARKS), VERBS.get(kind_key(wanted), ())
    left = ignored(rules_of(facts, located.manifest), lost)
    fields = [one for one in lost if one not in left and one.steps not in verbs]
    if not fields:
        return None
    place = place_of(wanted)
    record = _record(facts, place, annotations_of(wanted)[DESIRED])
    heals = facts.settings.drift.policy is DriftPolicy.HEAL
    failing = heals and place in facts.failures and facts.failures[place].digest == record.digest
    fought = heals and not failing and len(record.moments) >= len(PAUSES)
    drift = _on_record(facts, wanted, fields, (now, fought))
    found = Drifted(drift, _problem(drift, located, _rule(wanted, fields)), place)
    if not heals or fought:
        return found
    if failing:  # it was not brought back yet: the write has pauses of its own
        return replace(found, healing=record)
    due = record.moments[-1] + PAUSES[len(record.moments)] if record.moments else now
    return replace(found, healing=replace(record, moments=(*record.moments, now))) if due <= now else replace(found, heal_at=due)


def rules_of(facts: SourceFacts, manifest: Manifest) -> list[IgnoreRule]:
    """What the source, and the object in Git, leave to others of one object."""
    own = own_rule(manifest)
    return [*(rule for rule in facts.settings.drift.ignored if rule.concerns(manifest)), *((own,) if own is not None else ())]


def ignored(rules: Sequence[IgnoreRule], lost: Sequence[LostField]) -> list[LostField]:
    """The fields that a rule leaves to others."""
    return [field for field in lost if any(_covered(rule, field) for rule in rules)]


def _covered(rule: IgnoreRule, field: LostField) -> bool:
    return rule.covers(field.steps, field.manager) or rule.covers(field.aliases, field.manager)


def without(manifest: Manifest, fields: Iterable[LostField]) -> Manifest:
    """The manifest without some fields; the last item of a list first, so that every index still means what it meant."""
    for field in sorted(fields, key=lambda one: [(int(step), "") if step.isdigit() else (0, step) for step in one.steps], reverse=True):
        manifest = _cut(manifest, field.steps)
    return manifest


def _cut(value: Manifest | list[Manifest], steps: Steps) -> Manifest:
    """A copy of the value without what stands at the end of the steps."""
    kept: dict[str, Manifest] | list[Manifest] = dict(value) if isinstance(value, dict) else list(value)
    step = steps[0] if isinstance(kept, dict) else int(steps[0])
    if len(steps) == 1:
        del kept[step]  # type: ignore[arg-type]
    else:
        kept[step] = _cut(kept[step], steps[1:])  # type: ignore[index]
    return kept  # type: ignore[return-value]


def next_healings(facts: SourceFacts, found: Sequence[Drifted], carried_out: Sequence[Drifted], now: datetime) -> tuple[Healing, ...]:
    """How often each object was brought back lately, with what is brought back now; what was quiet for long enough is forgotten."""
    drifting = {one.place for one in found}
    kept = {one.place: one for one in facts.inventory.healings if one.place in drifting or now - one.moments[-1] < QUIET}
    kept.update({one.place: one.healing for one in carried_out if one.healing is not None})
    return tuple(kept[place] for place in sorted(kept))


def told(found: Sequence[Drifted]) -> tuple[RecordedProblem, ...]:
    """A problem for each object, and one for all beyond those that are named."""
    more = len(found) - TOLD
    words = f"{more} more objects are not as Git has them; reconciler diff names them"
    rest = (RecordedProblem(reason=Reason.DRIFTED, message=words, mender=Mender.OPERATOR),) if more > 0 else ()
    return (*(one.problem for one in found[:TOLD]), *rest)


def _record(facts: SourceFacts, place: tuple[str, str, str, str], digest: str) -> Healing:
    known = next((one for one in facts.inventory.healings if one.place == place and one.digest == digest), None)
    return known or Healing(place, digest)


def _on_record(facts: SourceFacts, wanted: Manifest, fields: Sequence[LostField], standing: tuple[datetime, bool]) -> Drift:
    """The drift with the moment at which each field was first seen to be another's: managers that write on would move it."""
    now, fought = standing
    name = described(wanted)
    before = next((one for one in facts.inventory.drifts if one.object == name), None)
    since = {(one.pointer, one.manager): one.since for one in before.fields} if before is not None else {}
    first = render_moment(now)
    named = tuple(
        DriftedField(one.name, one.pointer, one.manager, since.get((one.pointer, one.manager), one.since or first))
        for one in fields[:NAMED]
    )
    return Drift(object=name, fields=named, more=max(len(fields) - NAMED, 0), fought=fought)


def _problem(drift: Drift, located: Located, rule: str) -> RecordedProblem:
    more = f" and {drift.more} more" if drift.more else ""
    changed = f"{', '.join(map(str, drift.fields))}{more}"
    words = f"{drift.object} is not as Git has it: {changed}"
    remedy = f"change Git, or undo it; to leave it to others, add to the source's ignoreDifferences: {rule}"
    if drift.fought:
        words = f"{drift.object} was brought back {len(PAUSES)} times and changed again, so it is left as it is: {changed}"
        remedy = f"let only one of them write it; to leave it to others, add to the source's ignoreDifferences: {rule}"
    reason = Reason.FOUGHT_OVER if drift.fought else Reason.DRIFTED
    return RecordedProblem(
        reason=reason, file=located.file, line=located.line, object=drift.object, message=words, remedy=remedy, mender=Mender.OPERATOR
    )


def _rule(wanted: Manifest, fields: Sequence[LostField]) -> str:
    """The entry of `ignoreDifferences` that leaves exactly these fields to others; JSON is YAML."""
    group = {"group": group_of(wanted)} if group_of(wanted) else {}
    namespace = {"namespace": namespace_of(wanted)} if namespace_of(wanted) else {}
    named = {**group, "kind": wanted["kind"], **namespace, "name": name_of(wanted)}
    return msgspec.json.encode({**named, "jsonPointers": [field.pointer for field in fields[:NAMED]]}).decode()
