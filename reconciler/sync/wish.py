"""What is to be done for one object of Git: a write, a problem, or nothing; the pieces of a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, name_of, namespace_of, uid_of
from reconciler.kernel.moment import parse_moment
from reconciler.kernel.plan import Patch, PatchStyle
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kernel.well_known import suspended
from reconciler.releases.opening.config_mark import mark_of
from reconciler.releases.opening.gate import TemplateDecision
from reconciler.sources.documents import Located
from reconciler.sources.images import template_of
from reconciler.sources.inventory import Place
from reconciler.sources.kinds import kind_key
from reconciler.sources.permission import SOURCE, described, foreign_owner, misnamed, refusal
from reconciler.sources.problem import Mender, Objection, Reason, RecordedProblem
from reconciler.sources.references import Named
from reconciler.sources.templates import workload_of
from reconciler.sync.adoption import Adoption, adoption, objection
from reconciler.sync.drift.carry import RuntimeOwned, carry_over
from reconciler.sync.drift.diff import digest
from reconciler.sync.drift.drifting import Drifted, drifted, ignored, lost_in, rules_of, without
from reconciler.sync.drift.effective import DESIRED, RELEASE, as_stored, body_of, effective, written
from reconciler.sync.drift.owned import runtime_owned
from reconciler.sync.drift.ownership import MANAGER, foreign_fields
from reconciler.sync.facts import SourceFacts, located_in, place_of
from reconciler.sync.health import tells
from reconciler.sync.kept_config import kept_config
from reconciler.sync.migration import client_side, migration
from reconciler.sync.options import SyncOptions, options_of
from reconciler.sync.order import rank_of, wave_of
from reconciler.sync.template_gate import OverrideEnd, template_decision
from reconciler.sync.writes import Write

FORCE = {"force": "true"}
LOOK_AGAIN = timedelta(seconds=2)
ASK_AGAIN = timedelta(seconds=15)
"""After which a kind that is not served, or a namespace that is not there, is asked for again."""
ESTABLISHING = timedelta(minutes=1)
"""How long a CustomResourceDefinition may take until its kind is served, before anybody is told."""
SCALED = ("Deployment", "Rollout", "StatefulSet")


@dataclass(frozen=True, slots=True)
class Wish:
    """What came of looking at one manifest. `questions` are namespaces whose autoscalers have to be known first."""

    place: Place
    writes: tuple[Write, ...] = ()
    problem: RecordedProblem | None = None
    uid: str = ""
    file: str = ""
    adopts: tuple[str, str] | None = None
    wake_at: datetime | None = None
    questions: frozenset[str] = field(default_factory=frozenset)
    waiting: tuple[Place, ...] = ()
    override_end: OverrideEnd | None = None
    """The person's override that ends once this is written."""
    live: Manifest | None = None
    tells: bool = False
    """True when objects of its kind may say how they fare."""
    wave: int = 0
    key: Named = ("", "", "")
    """How Git names it."""
    drift: Drifted | None = None
    """What others have changed of an object that is in place."""


def wish(facts: SourceFacts, located: Located, now: datetime) -> Wish:
    """What is to be done for one manifest of the tip. What does not have the shape of its kind costs only itself."""
    api_version, kind = str(located.manifest["apiVersion"]), str(located.manifest["kind"])
    resource = facts.resources.get((api_version, kind))
    manifest = as_stored(located_in(located.manifest, resource))
    place = place_of(manifest)
    live = facts.live.get(place)
    seen = Wish(
        place, uid=_ours(facts, live), file=located.file, live=live, tells=tells(manifest, facts.settings.health), wave=wave_of(manifest)
    )
    seen = replace(seen, key=located.key)
    if facts.tip.parsed.contested(located):
        return seen  # two documents claim it, which is a problem of the source already
    try:
        known = located if manifest is located.manifest else replace(located, manifest=manifest)
        return _wished(facts, known, seen, now)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        words = f"this {kind} does not have the shape of one ({type(error).__name__} {error})"
        return _refused(seen, located, Objection(Reason.MISSHAPEN, words, "correct it"))


def _ours(facts: SourceFacts, live: Manifest | None) -> str:
    """The uid of the live object, unless another tool applies it."""
    return uid_of(live) if live is not None and foreign_owner(live, facts.settings.name) is None else ""


def _wished(facts: SourceFacts, located: Located, seen: Wish, now: datetime) -> Wish:
    resource = facts.resources.get(seen.place[:2])
    refused = misnamed(located.manifest) or refusal(located.manifest, facts.settings.allow, resource.namespaced if resource else None)
    if refused is not None:
        return _refused(seen, located, refused)
    if resource is None:
        return _unserved(facts, located, seen, now)
    live = facts.live.get(seen.place)
    refused = _missing_namespace(facts, located.manifest) or facts.unread.get((*seen.place[:2], seen.place[2]))
    if refused is not None:
        return replace(_refused(seen, located, refused), wake_at=now + ASK_AGAIN)
    refused = foreign_owner(live, facts.settings.name) if live is not None and not seen.uid else None
    if refused is not None:
        return _refused(seen, located, refused)
    if suspended(live or located.manifest) or _is_suspended(facts, namespace_of(located.manifest)):
        return seen
    return _due(facts, located, seen, (resource, live), now)


def _refused(seen: Wish, located: Located, refused: Objection) -> Wish:
    return replace(seen, problem=recorded(refused, located))


def recorded(refused: Objection, located: Located) -> RecordedProblem:
    """An objection with the place of what it is about."""
    return RecordedProblem(
        reason=refused.reason,
        file=located.file,
        line=located.line,
        object=described(located.manifest),
        message=refused.message,
        remedy=refused.remedy,
        mender=refused.mender,
    )


def _unserved(facts: SourceFacts, located: Located, seen: Wish, now: datetime) -> Wish:
    """A kind that is not served yet is asked for again; it is no problem while its definition of the same source is on its way."""
    api_version, kind = seen.place[:2]
    if _on_its_way(facts, (api_version.rpartition("/")[0], kind), now):
        return replace(seen, wake_at=now + LOOK_AGAIN)
    words = f"the cluster serves no {kind} in {api_version}"
    refused = Objection(Reason.NOT_SERVED, words, "install its CustomResourceDefinition first", Mender.OPERATOR)
    return replace(_refused(seen, located, refused), wake_at=now + ASK_AGAIN)


def _on_its_way(facts: SourceFacts, kind: tuple[str, str], now: datetime) -> bool:
    for located in facts.tip.parsed.manifests:
        spec = located.manifest.get("spec") or {}
        if kind_key(located.manifest) == "CustomResourceDefinition" and (spec.get("group"), (spec.get("names") or {}).get("kind")) == kind:
            live = facts.live.get(place_of(located.manifest))
            made = str((live or {"metadata": {}})["metadata"].get("creationTimestamp") or "")
            return not made or now - parse_moment(made) < ESTABLISHING
    return False


def _missing_namespace(facts: SourceFacts, manifest: Manifest) -> Objection | None:
    namespace = namespace_of(manifest)
    if not namespace or namespace in facts.namespaces:
        return None
    words = f"{described(manifest)}: there is no namespace {namespace}"
    return Objection(Reason.NAMESPACE_MISSING, words, "create it, or add a Namespace to this folder", Mender.OPERATOR)


def _is_suspended(facts: SourceFacts, namespace: str) -> bool:
    """True when a person asked us to leave everything in a namespace alone (ADR 0021)."""
    live = facts.namespaces.get(namespace)
    return live is not None and suspended(live)


def _due(facts: SourceFacts, located: Located, seen: Wish, target: tuple[Resource, Manifest | None], now: datetime) -> Wish:
    """The write that is due for an object that may be written, and for the Rollout that adopts it."""
    resource, live = target
    found = _adoption(facts, located, live)
    if isinstance(found, Objection):
        return _refused(seen, located, found)
    if isinstance(found, str):
        return replace(seen, questions=frozenset((found,)))
    kept = kept_config(facts, located, live, now)
    located = located if kept is None else replace(located, manifest=kept)
    decision, override_end = _decision(facts, located, (live, now))
    decision = _with_live_mark(decision, live)
    template = decision
    if found is not None:
        seen = replace(seen, adopts=(namespace_of(located.manifest), name_of(located.manifest)))
        template = template if found.done else TemplateDecision(keep=live is not None, reason="the running version is adopted first")
    marks = {SOURCE: facts.settings.name, RELEASE: decision.release}
    asked_for = _asked_for(facts, located, marks, (decision.config_mark or "", digest(kept) if kept is not None else ""))
    payload, in_place = _payload(asked_for, located.manifest, (live, template, marks))
    moved = in_place and payload is not None and live is not None and bool(lost_in(facts, payload, live))
    if payload is not None and (moved or not in_place) and seen.place[1] in SCALED and seen.place[2] not in facts.autoscalers:
        return replace(seen, questions=frozenset((seen.place[2],)))
    found_drift = drifted(facts, located, (payload, live), now) if moved and payload is not None and live is not None else None
    due = not in_place or (found_drift is not None and found_drift.healing is not None)
    writes = [_write(facts, located, (resource, live), payload)] if payload is not None and due else []
    seen = replace(seen, drift=found_drift)
    if found is not None:
        writes += _adopting(facts, located, found, decision.release)
    adopting = now + LOOK_AGAIN if found is not None and not found.done else None
    heal_at = seen.drift.heal_at if seen.drift is not None else None
    wake_at = min(filter(None, (decision.wake_at, adopting, heal_at)), default=None)
    if writes or wake_at is not None or override_end is not None:
        return _paced(facts, replace(seen, writes=tuple(writes), wake_at=wake_at, override_end=override_end), now)
    return seen


def _decision(
    facts: SourceFacts, located: Located, moment: tuple[Manifest | None, datetime]
) -> tuple[TemplateDecision, OverrideEnd | None]:
    """What may become of the template. While releases cannot be opened, nothing is let through unjudged."""
    live, now = moment
    workload = workload_of(facts.tip.parsed, located)
    gate = facts.gates.get(workload.template.key) if workload is not None else None
    if workload is None or gate is None:
        return TemplateDecision(), None
    if live is not None and located.key[0] == "Rollout":
        gate = replace(gate, rollout=live)
    holds = located.key == workload.template.key
    decision, override_end = template_decision(gate, now, holds_template=holds, lives=live is not None)
    released = workload.id.kind == "Rollout" or (located.key[1], located.key[2]) in facts.adopting
    if facts.unopened and released and holds:
        return replace(decision, keep=True, reason="its release is not opened yet", instead={}), None
    return decision, override_end


def _with_live_mark(decision: TemplateDecision, live: Manifest | None) -> TemplateDecision:
    """Where no release says what a template bears besides, it bears what it does: nothing of ours makes new pods."""
    if decision.config_mark is not None or live is None:
        return decision
    return replace(decision, config_mark=mark_of(template_of(live)))


def _asked_for(facts: SourceFacts, located: Located, marks: Mapping[str, str], besides: tuple[str, str]) -> Manifest:
    """What Git asks for with our marks on it. A tip never changes, so it is thought out once for all passes over it.

    `besides` are the mark of its pod template, and what tells its content apart where that is not Git's.
    """
    known: dict[tuple[str, ...], Manifest] = facts.tip.parsed.derived.setdefault("asked for", {})
    key = (*located.claim, *place_of(located.manifest), *marks.values(), *besides)
    if key not in known:
        found = effective(located.manifest, None, TemplateDecision(config_mark=besides[0]), marks)
        assert found is not None, "only a template that is kept needs a live object"
        known[key] = found
    return known[key]


def _payload(
    asked_for: Manifest, desired: Manifest, kept: tuple[Manifest | None, TemplateDecision, Mapping[str, str]]
) -> tuple[Manifest | None, bool]:
    """What is to live now, None where nothing may yet; and True when we have written it, or what Git asks for, already."""
    live, template, marks = kept
    choice = effective(desired, live, template, marks) if template.keep or template.keep_steps else asked_for
    return choice, any(one is not None and written(one, live) for one in (asked_for, choice))


def _write(facts: SourceFacts, located: Located, target: tuple[Resource, Manifest | None], payload: Manifest) -> Write:
    resource, live = target
    whole = carry_over(payload, live, facts.owned)
    ref = ObjectRef(resource, namespace_of(whole), name_of(whole))
    options = _options(facts, whole)
    replaced = options.replaced and live is not None
    if live is not None and not replaced:
        rules = rules_of(facts, located.manifest)
        whole = without(whole, ignored(rules, foreign_fields(whole, live))) if rules else whole
    operations = migration(live, whole, MANAGER) if live is not None and client_side(live) else None
    return Write(
        place=place_of(whole),
        patch=Patch(ref, body_of(whole, live, whole=replaced), PatchStyle.APPLY, query=FORCE),
        rank=rank_of(whole),
        wave=wave_of(whole),
        digest=annotations_of(whole)[DESIRED],
        file=located.file,
        line=located.line,
        takeover=Patch(ref, operations, PatchStyle.JSON) if operations is not None else None,
        replaced=replaced,
        forced=uid_of(live) if options.forced and live is not None else "",
        creates=live is None,
    )


def _options(facts: SourceFacts, manifest: Manifest) -> SyncOptions:
    """How an object is written: what a Rollout routes, or borrows its template from, is neither replaced nor made anew."""
    return SyncOptions() if in_use(facts, manifest) else options_of(manifest)


def in_use(facts: SourceFacts, manifest: Manifest) -> bool:
    """True when a Rollout keeps something of its own in this object, or runs by it."""
    place = (str(manifest["kind"]), namespace_of(manifest), name_of(manifest))
    return place in facts.owned.routed or place in facts.owned.lent or (place[0] == "Deployment" and place[1:] in facts.adopting)


def owned_in(facts: SourceFacts) -> RuntimeOwned:
    """Who is in charge of what while it runs; an autoscaler or a Rollout of the same push already is."""
    wanted = [located.manifest for located in facts.tip.parsed.manifests if isinstance(located.manifest.get("spec"), dict)]
    rollouts = [*facts.rollouts.values(), *(manifest for manifest in wanted if kind_key(manifest) == "Rollout")]
    scalers = [scaler for scalers in facts.autoscalers.values() for scaler in scalers]
    scalers += [manifest for manifest in wanted if kind_key(manifest) == "HorizontalPodAutoscaler"]
    return runtime_owned(rollouts, scalers, facts.routers, facts.live.values())


def _adoption(facts: SourceFacts, located: Located, live: Manifest | None) -> Adoption | Objection | str | None:
    """How far the adoption of a Deployment is; an objection; the namespace whose autoscalers are to be asked for; or None."""
    kind, namespace, name = located.key
    spec = facts.adopting.get((namespace, name)) if kind == "Deployment" else None
    if spec is None or isinstance(spec, Objection):
        return spec
    if namespace not in facts.autoscalers:
        return namespace
    rollout = facts.rollouts.get((namespace, name))
    refused = objection(located.manifest, rollout, facts.autoscalers[namespace])
    if refused:
        return Objection(Reason.NOT_ADOPTED, refused, "")
    found = adoption(located.manifest, live, rollout, spec)
    return refusal(found.rollout, facts.settings.allow) or found


def _adopting(facts: SourceFacts, located: Located, found: Adoption, release: str) -> Iterator[Write]:
    """The Rollout of an adopted Deployment, if it is not as wanted."""
    namespace, name = namespace_of(found.rollout), name_of(found.rollout)
    live = facts.rollouts.get((namespace, name))
    if live is not None and suspended(live):
        return
    wanted = effective(found.rollout, live, TemplateDecision(), {SOURCE: facts.settings.name, RELEASE: release})
    if wanted is not None and not written(wanted, live):
        write = _write(facts, located, (ROLLOUTS, None), wanted)
        body = replace(write.patch, body=body_of(wanted, live))
        yield replace(write, patch=body, wave=wave_of(located.manifest), creates=live is None, in_git=False)


def _paced(facts: SourceFacts, found: Wish, now: datetime) -> Wish:
    """Without what failed before and is not to be tried again yet."""
    kept, waiting, problem, wake_at = [], [], found.problem, found.wake_at
    for write in found.writes:
        failure = facts.failures.get(write.place)
        if failure is None or failure.digest != write.digest or not failure.waits(now):
            kept.append(write)
            continue
        waiting.append(write.place)
        problem = problem or (None if failure.quiet else failure.problem)
        wake_at = min(filter(None, (wake_at, failure.retry_at)))
    return replace(found, writes=tuple(kept), waiting=tuple(waiting), problem=problem, wake_at=wake_at)
