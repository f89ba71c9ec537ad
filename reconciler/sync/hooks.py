"""The hooks of a source: the run that a tip asks for, and how its hooks fare; `hook_steps` says what is done about them (docs/sources.md).

A run is on record before its first hook is made, and says by which name. Its objects hold a finalizer of ours until their end is on record:
so one that is not there was never made, or its end is known. Nothing runs twice or is left out, wherever the daemon is killed.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.kernel.identity import Manifest, annotations_of
from reconciler.sources.documents import Located, Parsed
from reconciler.sources.hooks import HOOK, HookDeletion, HookPhase, hook_of
from reconciler.sources.inventory import Place
from reconciler.sources.permission import SOURCE, described, foreign_owner, misnamed, refusal
from reconciler.sources.problem import Mender, Objection, Reason
from reconciler.sources.settings import HealthRule, SourceSettings
from reconciler.sources.source_port import Tip
from reconciler.sources.syncrun import HookRecord, HookState, Leftover, SyncRun, mark_of
from reconciler.sync.drift.diff import digest
from reconciler.sync.drift.effective import as_stored
from reconciler.sync.facts import SourceFacts, located_in, place_of
from reconciler.sync.health import Health, health_of
from reconciler.sync.order import rank_of, wave_of

MARK = "reconciler.dev/hook"
FINALIZER = "reconciler.dev/hook"
LONGEST_PREFIX = 40
NEVER_HOOKS = {"Rollout", "Release", "ReleasePolicy", "ClusterReleasePolicy"}
STAGES = {HookPhase.PRE_SYNC: 0, HookPhase.SYNC: 1, HookPhase.POST_SYNC: 2}
Stage = tuple[int, int]
"""Phase and wave."""
NONE = SyncRun(revision="", commit="")


@dataclass(frozen=True, slots=True)
class HookView:
    """One hook of the run at this moment: its record as it is by now, where Git has it, and why it cannot be made."""

    record: HookRecord
    located: Located
    mark: str
    deletions: frozenset[HookDeletion]
    live: Manifest | None = None
    refused: Objection | None = None

    @property
    def stage(self) -> Stage:
        return STAGES.get(self.record.phase, len(STAGES)), wave_of(self.located.manifest)

    @property
    def name(self) -> str:
        return f"hook {named(self.record.place)}"

    @property
    def succeeded(self) -> bool:
        return self.record.state is HookState.SUCCEEDED

    @property
    def mine(self) -> bool:
        """True when the object that lives is the one of this run and phase."""
        return self.live is not None and annotations_of(self.live).get(MARK) == self.mark


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of a source at one moment. `current` is false while not all files can be read: then nothing new is started.

    With `blocked`, hooks that cannot be told yet have to run before anything is written.
    """

    run: SyncRun | None = None
    views: tuple[HookView, ...] = ()
    current: bool = True
    blocked: bool = False

    @property
    def due(self) -> tuple[HookView, ...]:
        """What has to run in the course of a sync that goes well."""
        return tuple(view for view in self.views if view.record.phase in STAGES)


# --- a run, before anything of it is done ---


def next_run(settings: SourceSettings, tip: Tip, before: SyncRun | None) -> SyncRun | None:
    """The run that a tip asks for: the same one for the same content, unless it failed and another commit tries again."""
    if tip.parsed.unreadable:
        return before
    hooks = served(settings, tip.parsed)
    if before is not None and hooks and _goes_on(before, revision_of(tip.parsed), tip.sha):
        return before
    leftovers = _leftovers(before) if before is not None else ()
    if not hooks:
        return replace(NONE, leftovers=leftovers, number=before.number) if before is not None and leftovers else None
    number = before.number + 1 if before is not None else 1
    run = SyncRun(revision=revision_of(tip.parsed), commit=tip.sha, number=number, leftovers=leftovers)
    return replace(run, hooks=tuple(_records(run.id, hooks)))


def _goes_on(before: SyncRun, revision: str, commit: str) -> bool:
    return before.revision == revision and (before.commit == commit or not before.failed)


def served(settings: SourceSettings, parsed: Parsed) -> tuple[Located, ...]:
    """The hooks that run at some moment which a sync has, in the order in which they are made."""
    if not settings.hooks:
        return ()
    hooks = [located for located in parsed.hooks if not (terms := hook_of(located.manifest)).skipped and terms.phases]
    return tuple(sorted(hooks, key=lambda located: (wave_of(located.manifest), rank_of(located.manifest), located.key)))


def revision_of(parsed: Parsed) -> str:
    """Names all that a tip asks for, wherever it stands in which file; thought out once a tip."""
    if "revision" not in parsed.derived:
        digests = sorted(digest(located.manifest) for located in (*parsed.manifests, *parsed.hooks))
        parsed.derived["revision"] = hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]
    return str(parsed.derived["revision"])


def _records(run: str, hooks: Sequence[Located]) -> Iterator[HookRecord]:
    for phase in HookPhase:
        for key, located in _keyed(hooks).items():
            if phase in hook_of(located.manifest).phases:
                yield HookRecord(hook=key, phase=phase, place=_place(run, key, phase, located.manifest))


def _keyed(hooks: Iterable[Located]) -> dict[str, Located]:
    """By what they say; the same one twice is told apart by its number."""
    seen: Counter[str] = Counter()
    found = {}
    for located in hooks:
        key = digest(located.manifest)
        seen[key] += 1
        found[key if seen[key] == 1 else f"{key}-{seen[key]}"] = located
    return found


def _place(run: str, key: str, phase: HookPhase, manifest: Manifest) -> Place:
    """Where a hook is made. A name that is to be generated is the same at every try."""
    version, kind, namespace, name = place_of(manifest)
    if not name:
        prefix = str(manifest["metadata"].get("generateName") or "")[:LONGEST_PREFIX]
        name = f"{prefix}{phase.lower()}-{hashlib.sha256(f'{run}/{key}'.encode()).hexdigest()[:10]}"
    return version, kind, namespace, name


def _leftovers(before: SyncRun) -> tuple[Leftover, ...]:
    """The objects of a run that another one takes over; those whose end is known are only let go."""
    left = (Leftover(record.place, mark_of(before, record), record.state.ended) for record in before.hooks)
    return tuple(dict.fromkeys((*before.leftovers, *left)))


def hook_places(run: SyncRun | None) -> tuple[Place, ...]:
    """The objects whose live state a run is about."""
    return (*(record.place for record in run.hooks), *(left.place for left in run.leftovers)) if run is not None else ()


def hooks_in_git(facts: SourceFacts) -> tuple[frozenset[Place], frozenset[Place]]:
    """The places of hooks, which are no objects of the source, and of what is skipped, which stays as it is."""
    places: tuple[set[Place], set[Place]] = set(), set()
    for located in facts.tip.parsed.hooks:
        manifest = located_in(located.manifest, facts.resources.get(place_of(located.manifest)[:2]))
        places[hook_of(manifest).skipped].add(place_of(manifest))
    return frozenset(places[0]), frozenset(places[1])


# --- how its hooks fare ---


def hooks_now(facts: SourceFacts) -> Hooks:
    """The hooks of the run on record, as the cluster has them by now."""
    run, parsed = facts.inventory.run, facts.tip.parsed
    hooks = served(facts.settings, parsed)
    known = run is not None and run.revision == revision_of(parsed) if hooks else True
    blocked = parsed.unreadable and not known and any(HookPhase.PRE_SYNC in hook_of(located.manifest).phases for located in hooks)
    if run is None:
        return Hooks(current=not parsed.unreadable, blocked=blocked)
    keyed = _keyed(hooks)
    if any(record.hook not in keyed for record in run.hooks):
        return Hooks(run, current=False, blocked=blocked)
    views = tuple(_view(facts, run, record, keyed[record.hook]) for record in run.hooks)
    now = replace(run, hooks=tuple(view.record for view in views), leftovers=_still_there(facts, run))
    return Hooks(now, views, not parsed.unreadable, blocked)


def _view(facts: SourceFacts, run: SyncRun, record: HookRecord, located: Located) -> HookView:
    place = scoped(facts, record.place)
    live = facts.live.get(place)
    known = HookView(record, located, mark_of(run, record), hook_of(located.manifest).deletions, live)
    if record.state.ended:
        return known
    if known.mine and live is not None:
        state, why = _fares(live, facts.settings.health)
        return replace(known, record=replace(record, state=state, why=why))
    if record.state is HookState.RUNNING and _is_read(facts, place):
        return replace(known, record=replace(record, state=HookState.FAILED, why="it was removed while it ran"))
    if record.state is HookState.WAITING:
        return replace(known, refused=_objection(facts, located, known, place))
    return known


def _fares(live: Manifest, rules: Sequence[HealthRule]) -> tuple[HookState, str]:
    """How a hook that was made fares. What ended before it was deleted has ended; a pod that cannot start yet has not."""
    metadata = {key: value for key, value in live["metadata"].items() if key != "deletionTimestamp"}
    found = health_of({**live, "metadata": metadata}, rules)
    if found.well:
        return HookState.SUCCEEDED, ""
    if found.health is Health.DEGRADED and not _may_start(live):
        return HookState.FAILED, found.words
    if live["metadata"].get("deletionTimestamp"):
        return HookState.FAILED, "it was deleted while it ran"
    return HookState.RUNNING, ""


def _may_start(live: Manifest) -> bool:
    return live["kind"] == "Pod" and (live.get("status") or {}).get("phase") != "Failed"


def scoped(facts: SourceFacts, place: Place) -> Place:
    """The place as the server keeps it: kinds without a namespace have none, whatever is written."""
    resource = facts.resources.get(place[:2])
    return place if resource is None or resource.namespaced else (*place[:2], "", place[3])


def _is_read(facts: SourceFacts, place: Place) -> bool:
    return place[:2] in facts.resources and place[:3] not in facts.unread


def _still_there(facts: SourceFacts, run: SyncRun) -> tuple[Leftover, ...]:
    return tuple(left for left in run.leftovers if not _is_read(facts, scoped(facts, left.place)) or held_back(facts, left) is not None)


def held_back(facts: SourceFacts, left: Leftover) -> Manifest | None:
    """The object of a former run that something is still to be done about."""
    live = facts.live.get(scoped(facts, left.place))
    if live is None or annotations_of(live).get(MARK) != left.mark or (left.ended and FINALIZER not in finalizers_of(live)):
        return None
    return live


def _objection(facts: SourceFacts, located: Located, view: HookView, place: Place) -> Objection | None:
    """Why a hook cannot be made: the same reasons as for any object, and what stands in its place."""
    if place[1] in NEVER_HOOKS:
        words = f"{named(place)}: a {place[1]} cannot be a hook, because releases and their judges are applied in the open"
        return Objection(Reason.NOT_ALLOWED, words, f"take {HOOK} away")
    if (misshapen := _misshapen(located.manifest)) is not None:
        return misshapen
    manifest = {**located.manifest, "metadata": {**located.manifest["metadata"], "name": place[3], "namespace": place[2]}}
    resource = facts.resources.get(place[:2])
    refused = misnamed(manifest) or refusal(manifest, facts.settings.allow, resource.namespaced if resource is not None else None)
    if refused is not None:
        return refused
    if resource is None:
        return Objection(Reason.NOT_SERVED, f"the cluster serves no {place[1]} in {place[0]}", "install its definition", Mender.OPERATOR)
    if place[2] and place[2] not in facts.namespaces:
        return Objection(Reason.NAMESPACE_MISSING, f"there is no namespace {place[2]}", "create it", Mender.OPERATOR)
    return facts.unread.get(place[:3]) or (_in_the_way(facts, view) if view.live is not None else None)


def _misshapen(manifest: Manifest) -> Objection | None:
    """What no object can be made of, whatever its kind."""
    try:
        finalizers = as_stored(manifest)["metadata"].get("finalizers")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Objection(Reason.MISSHAPEN, f"{described(manifest)}: it does not have the shape of one ({error})", "correct it")
    if finalizers is None or isinstance(finalizers, list):
        return None
    return Objection(Reason.MISSHAPEN, f"{described(manifest)}: metadata.finalizers is no list", "write it as one")


def _in_the_way(facts: SourceFacts, view: HookView) -> Objection | None:
    """Why the object that is there may not be removed for the hook; None where it may, as the default has it."""
    assert view.live is not None, "something stands there"
    if annotations_of(view.live).get(MARK, "").startswith(f"{view.mark.partition('/')[0]}/"):
        return None  # the same hook in an earlier phase of this run
    what = named(view.record.place)
    foreign = foreign_owner(view.live, facts.settings.name)
    if foreign is not None:
        return foreign
    if annotations_of(view.live).get(SOURCE) != facts.settings.name:
        return Objection(Reason.IN_THE_WAY, f"{what} is there already, and not of this source", "remove it, or name the hook otherwise")
    if HookDeletion.BEFORE not in view.deletions:
        remedy = "remove it, or add BeforeHookCreation to its hook-delete-policy"
        return Objection(Reason.IN_THE_WAY, f"{what} of an earlier run is still there", remedy)
    return None


def named(place: Place) -> str:
    return f"{place[1]} {'/'.join(filter(None, place[2:]))}"


def finalizers_of(live: Manifest) -> tuple[str, ...]:
    return tuple(live["metadata"].get("finalizers") or ())
