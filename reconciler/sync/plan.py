"""What a pass over a source does, as data: the same facts, the same plan; a plan that was carried out plans nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from reconciler.git.objects import SourceProblem
from reconciler.kernel.identity import ObjectRef, name_of, namespace_of
from reconciler.kernel.plan import Action, Remove
from reconciler.kernel.well_known import suspended
from reconciler.rollouts.traffic.router import kinds_of
from reconciler.sources.documents import Parsed
from reconciler.sources.drift import Drift, Healing
from reconciler.sources.images import TEMPLATES
from reconciler.sources.inventory import BlockedPrune, ClosedWindow, Place, WaveWait, digest_of
from reconciler.sources.kinds import kind_key
from reconciler.sources.permission import described
from reconciler.sources.problem import Mender, Reason, RecordedProblem
from reconciler.sources.syncrun import SyncRun
from reconciler.sync.adoption import give_back, orphans
from reconciler.sync.closed import closed_now, kept_closed
from reconciler.sync.config_first import config_first
from reconciler.sync.drift.drifting import TOLD, next_healings, told
from reconciler.sync.facts import SourceFacts, located_in, place_of
from reconciler.sync.hook_steps import hook_problems, hook_steps, moves
from reconciler.sync.hooks import hook_places, hooks_now, scoped
from reconciler.sync.options import option_notes, options_of
from reconciler.sync.order import FOUNDATIONS, wave_of
from reconciler.sync.prune import LeftGit, Removals, behind, left_git, removals
from reconciler.sync.template_gate import OverrideEnd
from reconciler.sync.waves import in_waves
from reconciler.sync.wish import LOOK_AGAIN, Wish, in_use, owned_in, wish
from reconciler.sync.writes import HookStep, Write

SERVING = {*TEMPLATES, "Service", "Gateway"}
"""Kinds that users feel at once, beside those of the routers: while one could not be written, nothing it may stand on is taken away."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One object that left Git."""

    place: Place
    action: Remove
    wave: int = 0
    """The sync wave that it was written in: what came last goes first."""

    def __str__(self) -> str:
        return f"remove {self.action.ref}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """The effects of one pass in the order in which they are carried out, and what is to be put on record."""

    waves: tuple[tuple[Write, ...], ...] = ()
    hooks: tuple[HookStep, ...] = ()
    closed: ClosedWindow | None = None
    run: SyncRun | None = None
    """The hooks as they are by now."""
    held: tuple[Write, ...] = ()
    """What is due and waits for an earlier sync wave."""
    wave: WaveWait | None = None
    override_ends: tuple[tuple[Place, OverrideEnd], ...] = ()
    prunes: tuple[Removal, ...] = ()
    hand_backs: tuple[Action, ...] = ()
    seen: tuple[tuple[Place, str, str], ...] = ()
    """Place, uid and file of what is in place already."""
    gone: tuple[Place, ...] = ()
    problems: tuple[RecordedProblem, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What Git asks for in Argo CD's words and means nothing here, and what stays because Git said so."""
    blocked: BlockedPrune | None = None
    wake_at: datetime | None = None
    waiting: frozenset[Place] = frozenset()
    """What failed before and waits for its next try."""
    serving: frozenset[Place] = frozenset()
    """What is written here and users feel at once: when it fails, nothing of its namespace is taken away."""
    questions: frozenset[str] = field(default_factory=frozenset)
    """Namespaces whose autoscalers have to be known before the plan is whole."""
    drifts: tuple[Drift, ...] = ()
    """What others have changed and is not brought back now, as far as it is named."""
    drifted: int = 0
    healings: tuple[Healing, ...] = ()
    """What is brought back now, and was lately."""
    healed: tuple[tuple[Place, Drift], ...] = ()
    """What is brought back now."""

    @property
    def steps(self) -> tuple[str, ...]:
        """Everything it would do, a line each."""
        writes = [write for wave in self.waves for write in wave]
        later = (f"{write} (later, {'when its window opens' if self.closed else f'in sync wave {write.wave}'})" for write in self.held)
        early, late = ([str(step) for step in self.hooks if step.after_writes is after] for after in (False, True))
        return (*early, *map(str, writes), *late, *later, *map(str, self.prunes), *(f"hand back {action}" for action in self.hand_backs))


def plan(facts: SourceFacts, now: datetime) -> SourcePlan:
    """What to do now."""
    facts = replace(facts, owned=owned_in(facts))
    wishes = config_first(facts, [wish(facts, located, now) for located in facts.tip.parsed.manifests])
    desired = frozenset(found.place for found in wishes)
    refused = tuple(found.problem for found in wishes if found.problem is not None)
    hooks = hooks_now(facts)
    closed = closed_now(facts, now)
    paced = kept_closed(facts, wishes, closed) if closed is not None else in_waves(facts, wishes, hooks, now)
    steps = hook_steps(facts, hooks, paced.reached, now)
    left, pruned = _pruned(facts, wishes, desired, held=paced.shut)
    shut = refused or facts.unjudged or facts.unopened or facts.tip.parsed.unreadable or paced.held
    handed = () if shut else _handed_back(facts, wishes)
    writes = _in_order(paced.open)
    drifting = [found.drift for found in wishes if found.drift is not None]
    healed = [found.drift for found in paced.open if found.drift is not None and found.drift.healing is not None and found.writes]
    standing = [one for one in drifting if one not in healed]
    soon = now + LOOK_AGAIN if handed or steps or moves(facts, hooks) else None
    return SourcePlan(
        waves=_waves(writes),
        held=_in_order(paced.held),
        wave=paced.wait,
        hooks=steps,
        run=hooks.run,
        closed=closed,
        override_ends=tuple((found.place, found.override_end) for found in paced.open if found.override_end is not None),
        prunes=tuple(sorted((_removal(facts, e.place, e.uid) for e in pruned.entries), key=lambda prune: (-prune.wave, prune.place))),
        hand_backs=tuple(action for actions in handed for action in actions),
        seen=tuple((found.place, found.uid, found.file) for found in wishes if found.uid),
        gone=left.gone,
        problems=(
            *_source_problems(facts),
            *refused,
            *hook_problems(hooks, facts, now),
            *paced.problems,
            *_blocked_problem(facts, pruned),
            *told(standing),
        ),
        ignored=tuple(f"{note.file}: {note.message}" for note in facts.tip.parsed.notes),
        notes=(*option_notes(facts.tip.parsed), *_unheeded(facts), *_left_out(facts), *map(_kept, left.kept)),
        blocked=_blocked(pruned),
        wake_at=min(filter(None, (*(f.wake_at for f in wishes), paced.wake_at, soon)), default=None),
        waiting=frozenset(place for found in wishes for place in found.waiting) | set(hook_places(hooks.run)),
        serving=frozenset(write.place for write in writes if _serves(facts, write.place)),
        questions=frozenset(namespace for found in wishes for namespace in found.questions),
        drifts=tuple(one.drift for one in standing[:TOLD]),
        drifted=len(standing),
        healings=next_healings(facts, drifting, healed, now),
        healed=tuple((one.place, one.drift) for one in healed),
    )


def foundations(facts: SourceFacts, now: datetime) -> tuple[Write, ...]:
    """What has to be there before releases are opened and anything else is looked up, in no wave; nothing while it is closed.

    What is only brought back is no news that anything waits for: it is written, and counted, with everything else.
    """
    if closed_now(facts, now) is not None:
        return ()
    early = [located for located in facts.tip.parsed.manifests if located.key[0] in FOUNDATIONS]
    wishes = (found for located in early if (found := wish(facts, located, now)).drift is None)
    return tuple(sorted((replace(write, wave=0) for found in wishes for write in found.writes), key=_rank))


def ready(facts: SourceFacts) -> Parsed:
    """The tip as far as releases can be opened for it: without what stands in a namespace that is not there yet."""
    parsed = facts.tip.parsed
    there = tuple(m for m in parsed.manifests if not m.key[1] or m.key[1] in facts.namespaces)
    if len(there) == len(parsed.manifests):
        return parsed
    return replace(parsed, manifests=there, found={located.key: located for located in there}, derived={})


def _in_order(wishes: Iterable[Wish]) -> tuple[Write, ...]:
    """By sync wave first, then what others need before them."""
    return tuple(sorted((write for found in wishes for write in found.writes), key=lambda write: (write.wave, *_rank(write))))


def _rank(write: Write) -> tuple[float, Place]:
    return write.rank, write.place


def _waves(writes: Iterable[Write]) -> tuple[tuple[Write, ...], ...]:
    return tuple(tuple(wave) for _place, wave in groupby(writes, key=lambda write: (write.wave, write.rank)))


def _source_problems(facts: SourceFacts) -> tuple[RecordedProblem, ...]:
    files = tuple(file_problem(problem) for problem in facts.tip.parsed.problems)
    return (*files, *release_problems(facts.unjudged, facts.unopened))


def release_problems(unjudged: Sequence[str], unopened: str) -> tuple[RecordedProblem, ...]:
    """What the release layer could not do for a tip: workloads without a judge, and releases that could not be opened at all."""
    problems = tuple(RecordedProblem(reason=Reason.UNJUDGED, message=words) for words in unjudged)
    if not unopened:
        return problems
    return (
        *problems,
        RecordedProblem(
            reason=Reason.UNOPENED,
            message=f"releases could not be opened, so no pod template changes: {unopened}",
            mender=Mender.NOBODY,
            retried=True,
        ),
    )


def file_problem(problem: SourceProblem) -> RecordedProblem:
    """A file that cannot be used, on record."""
    return RecordedProblem(
        reason=Reason.UNUSABLE_FILE, file=problem.file, line=problem.line, message=problem.message, remedy=problem.remedy
    )


def _pruned(facts: SourceFacts, wishes: Sequence[Wish], desired: frozenset[Place], *, held: bool) -> tuple[LeftGit, Removals]:
    """What left Git and what of it goes now: nothing after an unreadable file or a rewritten history, nor before the last sync wave."""
    uids = {found.uid for found in wishes if found.uid}
    left = left_git(facts, desired, uids)
    if not facts.settings.prune or facts.tip.parsed.unreadable or facts.tip.rewritten or facts.unopened or held:
        return left, Removals()
    troubled = {found.place[2] for found in wishes if _troubled(facts, found)}
    free = replace(left, ours=tuple(entry for entry in left.ours if entry.place[2] not in troubled))
    whole = len([entry for entry in facts.inventory.entries if entry.place not in left.gone])
    return left, removals(free, whole if wishes else 0, facts.settings.prune_limit, facts.confirmed)


def _troubled(facts: SourceFacts, found: Wish) -> bool:
    """True when something that serves users could not be written: what it may stand on, or be replaced by, stays until it can."""
    return (found.problem is not None or found.place in found.waiting) and _serves(facts, found.place)


def _serves(facts: SourceFacts, place: Place) -> bool:
    """True when users feel it at once that this object is not as Git asks."""
    version, kind = place[:2]
    routed = {(resource.group, resource.kind) for resource in kinds_of(facts.routers)}
    return kind_key({"apiVersion": version, "kind": kind}) in SERVING or (version.rpartition("/")[0], kind) in routed


def _removal(facts: SourceFacts, place: Place, uid: str) -> Removal:
    live = facts.live[place]
    action = Remove(ObjectRef(facts.resources[place[:2]], place[2], place[3]), uid, options_of(live).propagation)
    return Removal(place, action, wave_of(live))


def _blocked(pruned: Removals) -> BlockedPrune | None:
    if not pruned.blocked:
        return None
    return BlockedPrune(digest_of(pruned.waiting), tuple(f"{e.place[1]} {'/'.join(filter(None, e.place[2:]))}" for e in pruned.waiting))


def _blocked_problem(facts: SourceFacts, pruned: Removals) -> tuple[RecordedProblem, ...]:
    if not pruned.blocked:
        return ()
    remedy = f"to remove exactly these: reconciler source confirm {facts.settings.name}; else put them back"
    remedy += ", or raise pruneLimit" if pruned.limited else ""
    return (RecordedProblem(reason=Reason.PRUNE_BLOCKED, message=pruned.blocked, remedy=remedy, mender=Mender.OPERATOR),)


def _unheeded(facts: SourceFacts) -> Iterator[str]:
    """The options of objects that a Rollout uses."""
    for located in facts.tip.parsed.manifests:
        options = options_of(located.manifest)
        if (options.replaced or options.forced) and in_use(facts, located.manifest):
            yield f"{described(located.manifest)}: Replace=true and Force=true are not obeyed, because a Rollout uses it"


def _left_out(facts: SourceFacts) -> tuple[str, ...]:
    count = 0 if facts.settings.hooks else len(facts.tip.parsed.hooks)
    return (f"{count} hooks are left out, because the source says hooks: false",) if count else ()


def _kept(place: Place) -> str:
    return f"{place[1]} {'/'.join(filter(None, place[2:]))}: left Git and stays, because it said Prune=false"


def _handed_back(facts: SourceFacts, wishes: Sequence[Wish]) -> tuple[tuple[Action, ...], ...]:
    """One step for every Rollout of ours that Git wants no more; while any wish is open nothing is handed back."""
    if any(found.questions for found in wishes):
        return ()
    adopted = [found.adopts for found in wishes if found.adopts is not None]
    hidden = {e.place for e in facts.inventory.entries if behind(e, facts.tip.parsed.withheld)}
    steps = []
    for rollout in orphans(tuple(facts.rollouts.values()), facts.settings.name, adopted):
        if ("apps/v1", "Deployment", namespace_of(rollout), name_of(rollout)) in hidden:
            continue
        namespace = facts.namespaces.get(namespace_of(rollout))
        deployment = facts.live.get(("apps/v1", "Deployment", namespace_of(rollout), name_of(rollout)))
        unread = ("apps/v1", "Deployment", namespace_of(rollout)) in facts.unread
        if not unread and not any(suspended(one) for one in (rollout, namespace, deployment) if one is not None):
            steps.append(give_back(rollout, deployment))
    return tuple(steps)


def wanted_places(facts: SourceFacts) -> frozenset[Place]:
    """Every object whose live state the plan is about: what Git holds, and what was applied before."""
    manifests = (located.manifest for located in facts.tip.parsed.manifests)
    desired = {place_of(located_in(m, facts.resources.get((str(m["apiVersion"]), str(m["kind"]))))) for m in manifests}
    hooks = {scoped(facts, place) for place in hook_places(facts.inventory.run)}
    return frozenset(desired | hooks | {entry.place for entry in facts.inventory.entries})
