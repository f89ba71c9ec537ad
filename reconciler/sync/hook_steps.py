"""What is done about the hooks of a run: made in their turn, let go once their end is on record, removed as their policies say."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciler.kernel.identity import Manifest, ObjectRef, uid_of
from reconciler.kernel.plan import Action, Create, Patch, Remove
from reconciler.kernel.well_known import suspended
from reconciler.sources.hooks import HookDeletion, HookPhase
from reconciler.sources.inventory import Place
from reconciler.sources.permission import SOURCE
from reconciler.sources.problem import Mender, Objection, Reason, RecordedProblem
from reconciler.sources.syncrun import HookRecord, HookState, SyncRun
from reconciler.sync.drift.effective import as_stored, body_of
from reconciler.sync.facts import SourceFacts
from reconciler.sync.hooks import FINALIZER, MARK, STAGES, Hooks, HookView, Stage, finalizers_of, held_back, hook_places, named, scoped
from reconciler.sync.wish import recorded
from reconciler.sync.writes import HookStep


def hook_steps(facts: SourceFacts, hooks: Hooks, reached: Stage | None, now: datetime) -> tuple[HookStep, ...]:
    """What is due: objects of former runs go, then hooks of every stage that was reached are made; ends on record are followed up."""
    if hooks.run is None:
        return ()
    stored = {record: record.state.ended for record in (facts.inventory.run or hooks.run).hooks}
    tidied = [*_taken_over(facts, hooks.run), *(step for view in hooks.views for step in _concluded(facts, view, hooks.run, stored))]
    if not hooks.current or hooks.run.leftovers or _all_suspended(facts):
        return tuple(tidied)
    started = [_start(facts, view) for view in _startable(hooks, reached)]
    return (*tidied, *(step for step in started if step.actions and not waits(facts, step, now)))


def _startable(hooks: Hooks, reached: Stage | None) -> Iterator[HookView]:
    """The hooks that wait and whose turn it is; once one has failed those of SyncFail, wave by wave, when nothing runs any more."""
    waiting = [view for view in hooks.views if view.record.state is HookState.WAITING]
    assert hooks.run is not None, "there are hooks"
    if not hooks.run.failed:
        yield from (view for view in waiting if view.stage[0] < len(STAGES) and (reached is None or view.stage <= reached) and free(view))
        return
    if any(view.record.state is HookState.RUNNING for view in hooks.views):
        return
    failing = [view for view in waiting if view.record.phase is HookPhase.SYNC_FAIL]
    first = min((view.stage for view in failing), default=None)
    yield from (view for view in failing if view.stage == first and free(view))


def free(view: HookView) -> bool:
    return view.refused is None


def _start(facts: SourceFacts, view: HookView) -> HookStep:
    """Make the hook; what stands in its place goes first, with all that belongs to it, and the next pass makes it."""
    resource, place = facts.resources[view.record.place[:2]], scoped(facts, view.record.place)
    ref = ObjectRef(resource, place[2], place[3])
    actions = (Create(resource, _object(facts, view, place)),) if view.live is None else _removed(ref, view.live, "Foreground")
    words = f"{'start' if view.live is None else 'clear the way of'} {view.name} ({view.record.phase})"
    return HookStep(place, ref, actions, view.mark, words, view.located.file, view.located.line, after_writes=view.stage[0] > 0)


def _object(facts: SourceFacts, view: HookView, place: Place) -> Manifest:
    """What is sent: the manifest under its name, marked, and kept until its end is on record."""
    manifest = body_of(as_stored(view.located.manifest), None)
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in ("name", "namespace")}
    marks = {**(metadata.get("annotations") or {}), SOURCE: facts.settings.name, MARK: view.mark}
    finalizers = [*(one for one in metadata.get("finalizers") or () if one != FINALIZER), FINALIZER]
    named = {"name": place[3], **({"namespace": place[2]} if place[2] else {})}
    return {**manifest, "metadata": {**metadata, **named, "annotations": marks, "finalizers": finalizers}}


def _taken_over(facts: SourceFacts, run: SyncRun) -> Iterator[HookStep]:
    for left in run.leftovers:
        live, place = held_back(facts, left), scoped(facts, left.place)
        if live is None:
            continue
        ref = ObjectRef(facts.resources[place[:2]], place[2], place[3])
        actions = _released(ref, live) if left.ended else _removed(ref, live, "Foreground")
        if actions:
            yield HookStep(place, ref, actions, left.mark, f"take {named(place)} of a former run away", "", 0)


def _concluded(facts: SourceFacts, view: HookView, run: SyncRun, stored: Mapping[HookRecord, bool]) -> Iterator[HookStep]:
    """Let the object go once its end is on record, and remove it once the run is over, where its policy says so."""
    if not stored.get(view.record) or not view.mine or view.live is None:
        return
    place = scoped(facts, view.record.place)
    ref = ObjectRef(facts.resources[place[:2]], place[2], place[3])
    wanted = HookDeletion.SUCCEEDED if view.succeeded else HookDeletion.FAILED
    removed = run.over and wanted in view.deletions
    actions = _removed(ref, view.live, "Background") if removed else _released(ref, view.live)
    if actions:
        yield HookStep(place, ref, actions, view.mark, f"{'remove' if removed else 'let go of'} {view.name}", view.located.file, 0)


def _released(ref: ObjectRef, live: Manifest) -> tuple[Action, ...]:
    if FINALIZER not in finalizers_of(live):
        return ()
    kept = [one for one in finalizers_of(live) if one != FINALIZER]
    return (Patch(ref, {"metadata": {"finalizers": kept or None, "resourceVersion": live["metadata"]["resourceVersion"]}}),)


def _removed(ref: ObjectRef, live: Manifest, propagation: str) -> tuple[Action, ...]:
    """Nothing more for what is on its way out already."""
    gone = live["metadata"].get("deletionTimestamp")
    return (*_released(ref, live), *(() if gone else (Remove(ref, uid_of(live), propagation),)))


def _all_suspended(facts: SourceFacts) -> bool:
    """True when a person suspended a namespace that hooks of this source run in: then none of them is started."""
    namespaces = {place[2] for place in hook_places(facts.inventory.run)}
    return any(suspended(facts.namespaces[name]) for name in namespaces if name in facts.namespaces)


def moves(facts: SourceFacts, hooks: Hooks) -> bool:
    """True while something about the hooks is to be looked at again soon: one runs, or an end has just been seen."""
    running = any(view.record.state is HookState.RUNNING for view in hooks.views)
    return running or hooks.run != facts.inventory.run or bool(hooks.run is not None and hooks.run.leftovers)


def waits(facts: SourceFacts, step: HookStep, now: datetime) -> bool:
    """True for what failed before and is not to be tried again yet."""
    failure = facts.failures.get(step.place)
    return failure is not None and failure.digest == step.digest and failure.waits(now)


def hook_problems(hooks: Hooks, facts: SourceFacts, now: datetime) -> Iterator[RecordedProblem]:
    """Hooks that have failed, hooks that cannot be made, and what waits for them."""
    if hooks.blocked:
        words = "hooks run before anything is written, and not all files can be read: nothing of this source is written until they can be"
        yield RecordedProblem(reason=Reason.HOOK_WAITS, message=words, remedy="correct the files", retried=True)
    yield from _unseen_leftovers(hooks, facts)
    for view in hooks.views:
        failure = facts.failures.get(scoped(facts, view.record.place))
        if view.record.state is HookState.FAILED:
            yield recorded(_failed(view), view.located)
        elif view.refused is not None and hooks.current:
            yield recorded(view.refused, view.located)
        elif failure is not None and failure.waits(now) and not failure.quiet:
            yield failure.problem


def _unseen_leftovers(hooks: Hooks, facts: SourceFacts) -> Iterator[RecordedProblem]:
    """Hooks of a former run of which the cluster says nothing: until it does no other one starts."""
    leftovers = hooks.run.leftovers if hooks.run is not None else ()
    for place in dict.fromkeys(scoped(facts, left.place) for left in leftovers):
        unread = facts.unread.get(place[:3]) or (None if place[:2] in facts.resources else _unserved(place))
        if unread is not None:
            words = f"{named(place)}, a hook of a former run, cannot be looked at, so no other one starts: {unread.message}"
            yield RecordedProblem(reason=unread.reason, message=words, remedy=unread.remedy, mender=unread.mender, retried=True)


def _unserved(place: Place) -> Objection:
    return Objection(Reason.NOT_SERVED, f"the cluster serves no {place[1]} in {place[0]}", "install its definition", Mender.OPERATOR)


def _failed(view: HookView) -> Objection:
    before = view.record.phase in (HookPhase.PRE_SYNC, HookPhase.SYNC)
    stopped = "nothing behind it is written" if before else "the hooks behind it are not run"
    words = (
        f"{named(view.record.place)}, a {view.record.phase} hook, has failed: {view.record.why}; {stopped} until there is another commit"
    )
    return Objection(Reason.HOOK_FAILED, words, "see why, and push what mends it; any push tries again")
