"""Gathers what the judge of a release may know: the live Rollout, its runs and ReplicaSets, and whether its pods can come up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.analysis.model import RunPhase
from reconciler.kernel.identity import Manifest, name_of, uid_of
from reconciler.kernel.resources import ANALYSIS_RUNS, CONFIGMAPS, DEPLOYMENTS, POD_TEMPLATES, PODS, REPLICA_SETS, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.releases import observe_experiments
from reconciler.releases.comparison.observe import Sampling
from reconciler.releases.comparison.windows import question
from reconciler.releases.facts import ReleaseFacts
from reconciler.releases.holds import holder, rejections, serving
from reconciler.releases.model import Release, ReleasePhase
from reconciler.releases.observe_history import lost_elsewhere
from reconciler.releases.opening.content import covers
from reconciler.releases.override import in_force
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.releases.preview.life import probe
from reconciler.releases.share.batches import question as share_question
from reconciler.releases.verdict.after_promotion import after_name
from reconciler.releases.verdict.crash import crash_of
from reconciler.releases.verdict.reverification import again_name
from reconciler.releases.verdict.runs import AFTER, Run, experiment_end, run_of
from reconciler.rollouts.view import RolloutView, view_of
from reconciler.sources.inventory import workload_key
from reconciler.sources.templates import CONFIG_PARTS

BORROWED = {"Deployment": DEPLOYMENTS, "ReplicaSet": REPLICA_SETS, "PodTemplate": POD_TEMPLATES}


@dataclass(frozen=True, slots=True)
class Around:
    """What else is known when a release is looked at.

    `history` are the workload's releases, oldest first; `asked` what each workload of the source asks for now (workload key → identity),
    as far as the tip could be read, None where that is not known; `sampling` reads what is compared.
    """

    history: list[Release]
    asked: Mapping[str, str] | None
    policy: ReleasePolicy
    now: datetime
    sampling: Sampling


async def observe(client: Client, cache: Cache, release: Release, around: Around) -> ReleaseFacts:
    """All facts of one pass; what is not watched is asked for only while it can matter."""
    history = around.history
    others = [one for one in history if one.name != release.name and one.age < release.age]
    held_by = _holder(cache, release, history, others)
    facts = ReleaseFacts(
        newer=_newer(history, release, around.asked or {}),
        tried_again=any(one.age > release.age and one.spec.identity == release.spec.identity for one in history),
        held_by=held_by if held_by is not None and held_by.name != release.name else None,
        rejections=rejections(others, release, around.policy.hold_window, around.now),
        pairs=tuple(cache.owned(REPLICA_SETS, release.uid)),
    )
    rollout = cache.get(ROLLOUTS, release.namespace, release.spec.workload.name)
    if rollout is None:
        return replace(facts, newer=facts.newer or _gone(release, around.asked))
    live = view_of(rollout)
    after = cache.get(ANALYSIS_RUNS, release.namespace, after_name(release))
    again = cache.get(ANALYSIS_RUNS, release.namespace, again_name(release))
    there = serving(history, live.stable)
    experiments = await observe_experiments.experiments(client, cache, live, release)
    facts = replace(
        facts,
        live=live,
        workload=await _lender(client, cache, rollout, release.namespace),
        runs=(*await _runs(client, cache, live, release), *await observe_experiments.runs(client, cache, release, experiments)),
        experiment_end=experiment_end(experiments, live, release.status.pod_hash),
        after=Run(after, AFTER) if after is not None else None,
        again=Run(again, AFTER) if again is not None else None,
        serves=there is not None and there.name == release.name and live.stable == release.status.pod_hash,
        replica_sets=tuple(cache.owned(REPLICA_SETS, uid_of(rollout))),
        overridden=in_force(rollout, release.spec.identity),
    )
    if release.decided:
        return facts
    facts = replace(facts, config_applied=await _config_applied(client, release))
    facts = replace(facts, crashed=await _crash(client, release, facts, around.policy))
    return await _sampled(release, facts, around)


def _holder(cache: Cache, release: Release, history: list[Release], others: list[Release]) -> Release | None:
    """Whose rejection holds this version back. A first version has none here, and what already serves has none elsewhere."""
    if release.spec.serving:
        return None
    known = [] if release.spec.baseline else [*others, release]
    elsewhere = lost_elsewhere(cache, release.key, release.spec.images, history)
    return holder(known, release.spec.identity, release.spec.images, elsewhere)


async def _sampled(release: Release, facts: ReleaseFacts, around: Around) -> ReleaseFacts:
    """What canary and baseline answered, when a window is due that was not looked at."""
    compare = around.policy.compare
    due = question(release, compare, facts, around.now) if compare is not None else None
    if compare is not None and due is not None:
        facts = replace(facts, sample=await around.sampling.sample(release, compare, due))
    terms = around.policy.observed_share
    asked = probe(release, around.policy.preview, facts, around.now)
    if asked is not None:
        facts = replace(facts, propagation=await around.sampling.propagation(asked))
    window = share_question(release, terms, facts, around.now) if terms is not None else None
    return replace(facts, share=await around.sampling.share(release, terms, window)) if terms is not None and window is not None else facts


async def _lender(client: Client, cache: Cache, rollout: Manifest, namespace: str) -> Manifest | None:
    """The object that a workloadRef borrows the template from: watched where it is a Deployment, else asked for."""
    reference = rollout["spec"].get("workloadRef") or {}
    resource = BORROWED.get(str(reference.get("kind")))
    if resource is None:
        return None
    name = str(reference.get("name"))
    return cache.get(resource, namespace, name) if resource is DEPLOYMENTS else await client.find(resource, namespace, name)


async def _runs(client: Client, cache: Cache, live: RolloutView, release: Release) -> tuple[Run, ...]:
    """The Rollout's runs. One that its status already calls ended, and that the cache knows no end of, is asked for: events may be late."""
    known = {name_of(run): run_of(run) for run in cache.owned(ANALYSIS_RUNS, uid_of(live.manifest))}
    if not release.decided:
        for named in live.named_runs:
            mirrored = named.phase in (RunPhase.FAILED, RunPhase.ERROR, RunPhase.SUCCESSFUL, RunPhase.INCONCLUSIVE)
            if mirrored and (named.name not in known or not known[named.name].ended):
                found = await client.find(ANALYSIS_RUNS, release.namespace, named.name)
                if found is not None:
                    known[named.name] = run_of(found)
    return tuple(known.values())


def _newer(history: list[Release], release: Release, asked: Mapping[str, str]) -> str:
    """What took over: a later release of the workload, or Git asking for another identity by now."""
    later = [r for r in history if r.age > release.age and r.spec.identity != release.spec.identity]
    if later:
        return f"release {later[-1].name} took over"
    wanted = asked.get(workload_key(*release.key))
    if wanted is not None and wanted != release.spec.identity and not release.spec.baseline:
        return "Git asks for another version by now"
    return ""


def _gone(release: Release, asked: Mapping[str, str] | None) -> str:
    """That nothing is left to judge: no Rollout lives, and Git asks for none. What Git cannot say now begins anew once it can."""
    left = asked is not None and workload_key(*release.key) not in asked
    return "the workload left Git, and its Rollout is gone" if left else ""


async def _config_applied(client: Client, release: Release) -> bool:
    """True when the ConfigMaps that Git asks for live; asked only where nothing but config changes and another tool applies it."""
    previous = release.spec.previous
    if not release.spec.companion or previous is None or previous.content.template != release.spec.content.template:
        return True
    for wanted in release.spec.content.config:
        live = await client.find(CONFIGMAPS, release.namespace, name_of(wanted))
        if live is None or not all(covers(wanted.get(part) or {}, live.get(part) or {}) for part in CONFIG_PARTS):
            return False
    return True


async def _crash(client: Client, release: Release, facts: ReleaseFacts, policy: ReleasePolicy) -> str:
    """Which container of the new version crash-loops; pods are asked for only while they are not all available."""
    there = facts.replica_set(release.status.pod_hash) is not None
    if release.status.phase is not ReleasePhase.PROGRESSING or not there or facts.rollout.promoted or facts.all_available(release):
        return ""
    pods = await client.list(PODS, release.namespace, labels=f"{HASH_LABEL}={release.status.pod_hash}")
    return crash_of(pods, policy.crash_restarts)
