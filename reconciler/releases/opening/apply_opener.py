"""Opens the Release objects that a tip asks for: the first half of a source's pass."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, ObjectRef, uid_of
from reconciler.kernel.plan import Create, Plan, Remove
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, EXPERIMENTS, RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.errors import ApiError, Forbidden
from reconciler.kube.fence import Fenced
from reconciler.releases.attempts import next_attempt
from reconciler.releases.holds import expired, serving
from reconciler.releases.identity import identity_hash
from reconciler.releases.manifest import render_release
from reconciler.releases.model import Cause, Release
from reconciler.releases.observe_experiments import known_runs
from reconciler.releases.observe_history import history, lost_elsewhere
from reconciler.releases.opening.asking import asked_by, moved, released_workloads, revertability, source_id, taken_back_by
from reconciler.releases.opening.config_mark import mark_of, unmarked
from reconciler.releases.opening.opening import Asked, Details, Serving, baseline, detailed, opening
from reconciler.releases.opening.served import Found, earlier, found_of
from reconciler.releases.policies.contradiction import contradiction
from reconciler.releases.policies.observe import Policies
from reconciler.releases.policies.policy import ReleasePolicy, WorkloadName
from reconciler.releases.verdict.runs import Run, run_of
from reconciler.rollouts.replicas.template import semantically_equal
from reconciler.rollouts.view import RolloutView, view_of
from reconciler.runtime.access import ClusterAccess
from reconciler.sources.follow import way_back
from reconciler.sources.images import template_of
from reconciler.sources.model import Pull
from reconciler.sources.permission import refusal
from reconciler.sources.settings import SourceSettings
from reconciler.sources.source_port import SourcePort, Tip
from reconciler.sources.templates import Workload, referenced_config, workloads

LOOKED_BACK = 5
log = structlog.get_logger()


class Asking(Protocol):
    """What a source's forge knows of a commit."""

    async def pull_of(self, source: str, sha: str) -> Pull | None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening releases: workloads that cannot be judged, and why the rest could not be opened at all; empty when it was."""

    unjudged: tuple[str, ...] = ()
    failure: str = ""


class ReleaseOpener:
    """Compares a tip with the Release objects there are, and creates those that are missing. Repeating it creates nothing more."""

    def __init__(self, access: ClusterAccess, policies: Policies, forges: Asking) -> None:
        self._cache = access.cache
        self._apply = access.apply
        self._policies = policies
        self._forges = forges
        self._suspension = access.suspension

    async def open(self, source: SourcePort, tip: Tip) -> Opened:
        """Open what one look at every released workload of the tip finds missing.

        What stops it stops only templates, and is told; writes that are withheld end the pass: raises Fenced.
        """
        try:
            return Opened(await self._open_each(source, tip))
        except Fenced:
            raise
        except (Transient, Terminal, ApiError) as error:
            return Opened(failure=str(error))

    async def _open_each(self, source: SourcePort, tip: Tip) -> tuple[str, ...]:
        """Why some workloads cannot be judged. Raises Forbidden, when all others are open, if one waits for our rights."""
        problems: list[str] = []
        forbidden: Forbidden | None = None

        def adopted(namespace: str, name: str) -> bool:
            try:
                return self.adopted(namespace, name)
            except Terminal as error:
                problems.append(str(error))
                return False

        for workload in released_workloads(tip.parsed, adopted):
            if not _in_scope(workload, source.settings):
                continue  # what may not be written is no release; the writing says why
            if self._is_suspended(workload):
                continue
            try:
                await self._one(source, tip, workload)
            except Forbidden as error:
                forbidden = error
            except Terminal as error:
                problems.append(f"{workload.template.file}:{workload.template.line}: {error}; it is applied, not judged")
        if forbidden is not None:
            raise forbidden
        return tuple(problems)

    def adopted(self, namespace: str, name: str) -> bool:
        """True when a policy lets a Rollout of ours release this Deployment. Raises Terminal when policies contradict each other."""
        return self._policies.of(namespace, "Deployment", name).rollout is not None

    def rollout(self, workload: Workload) -> Manifest | None:
        """The live Rollout of a workload, also where a policy made it."""
        return self._cache.get(ROLLOUTS, workload.template.key[1], workload.id.name)

    def awaited(self, workload: Workload, identity: str, history: list[Release]) -> Release | None:
        """The first version, while it runs as it should and only its verdict is missing: what else Git asks for comes after that.

        Without it the next version would be the first one, which is taken as it comes: there would be nothing to go back to.
        """
        first = history[-1] if history and not any(r.proven or r.served for r in history) else None
        if first is None or first.decided or first.spec.identity == identity or first.status.unjudged:
            return None
        found = self._found(workload)
        serves = found is not None and found.is_(first.spec.content.template, first.spec.images)
        return first if first.spec.cause is Cause.FOUND or serves else None

    def history(self, namespace: str, name: str) -> list[Release]:
        """The releases of one workload, oldest first."""
        return history(self._cache, namespace, name)

    def elsewhere(self, namespace: str, name: str, images: Mapping[str, str]) -> list[Release]:
        """Releases of other environments whose version has these images and lost its proof."""
        return lost_elsewhere(self._cache, (namespace, "Rollout", name), images, self.history(namespace, name))

    def _rollout(self, workload: Workload) -> Manifest:
        """The Rollout as Git has it, or as a policy makes it."""
        if workload.id.kind == "Rollout":
            return workload.owner.manifest
        policy = self._policies.of(workload.id.namespace, "Deployment", workload.id.name)
        return {"metadata": {"name": workload.id.name}, "spec": policy.rollout}

    def _is_suspended(self, workload: Workload) -> bool:
        """True when a person suspended the Rollout, its Deployment or their namespace; a release begins once that ends."""
        namespace = workload.template.key[1]
        live = [self._cache.get(resource, namespace, workload.id.name) for resource in (ROLLOUTS, DEPLOYMENTS)]
        held = any(self._suspension.of(part) for part in (*live, workload.owner.manifest, workload.template.manifest) if part is not None)
        return held or bool(self._suspension.of_namespace(namespace))

    async def _one(self, source: SourcePort, tip: Tip, workload: Workload) -> None:
        namespace, name = workload.template.key[1], workload.id.name
        history, live = self.history(namespace, name), self._live(workload)
        identity = identity_hash(tip.parsed, workload)
        good = serving(history, live.stable if live is not None else "")
        latest = history[-1] if history else None
        if good is not None and good.spec.identity == identity and (latest is good or latest is None or latest.decided):
            return
        kind, _, template = workload.template.key
        policy = self._policies.judging(namespace, name, WorkloadName(kind, template))
        refused = contradiction(policy, self._rollout(workload))
        if refused:
            raise Terminal(refused)
        if latest is not None and latest.spec.identity == identity and not latest.decided:
            return
        release = await self._wanted((source, tip), workload, history, policy)
        if release is not None:
            await self._open(source, tip, release)
            await self._forget([*history, release], policy.history_limit)

    async def _wanted(
        self, at: tuple[SourcePort, Tip], workload: Workload, history: list[Release], policy: ReleasePolicy
    ) -> Release | None:
        source, tip = at
        behind = (workload.template, *referenced_config(tip.parsed, workload))
        files = [file for located in behind for file in tip.parsed.files_behind(located)]
        commit = await source.origin(sorted(set(files)), tip.sha)
        asked, live = asked_by(tip.parsed, workload, source.settings, commit), self._live(workload)
        borne = mark_of(self._template(workload))
        asked = replace(asked, config_rolls=policy.on_config_change == "roll", config_mark=borne)
        if not any(r.proven or r.served for r in history):
            return await self._first(source, workload, asked, history)
        again = next_attempt(history, live, asked.identity, commit)
        if again is not None:
            return again
        found = opening(asked, history, live, self._earlier_runs(workload, asked))
        if found is not None and found.spec.cause is Cause.PUSHED_AGAIN and (await source.tip()).sha != tip.sha:
            return None  # what we knew of the branch is older than our own restore
        return found

    async def _first(self, source: SourcePort, workload: Workload, asked: Asked, history: list[Release]) -> Release | None:
        """The baseline: what serves, whether Git still asks for it or not; the version that Git asks for only where nothing serves."""
        if self.awaited(workload, asked.identity, history) is not None or _answered(asked, history):
            return None
        found, live = self._found(workload), self._live(workload)
        underway = live is not None and not live.promoted
        runs = self._earlier_runs(workload, asked)
        if found is None or (found.is_(asked.content.template, asked.images) and not underway):
            return baseline(asked, history, runs)
        return baseline(asked, history, runs, await self._in_git(source, workload, asked, found))

    async def _in_git(self, source: SourcePort, workload: Workload, asked: Asked, found: Found) -> Serving:
        """The version that serves, as the newest commit that asks for it; from the cluster alone where none near the tip does."""
        now, at = asked, asked.commit.sha
        for _ in range(LOOKED_BACK):
            if found.is_(now.content.template, now.images):
                return found.as_git_has_it(now)
            parsed = await source.parsed_at(f"{at}^")
            before = workloads(parsed).get(workload.id) if parsed is not None else None
            if parsed is None or before is None:
                break
            commit = await source.origin(parsed.files_behind(before.template), f"{at}^")
            now, at = asked_by(parsed, before, source.settings, commit), commit.sha
        return found.unknown_to_git

    async def _open(self, source: SourcePort, tip: Tip, release: Release) -> None:
        details = await self._details(source, tip, release)
        opened = detailed(release, details)
        await self._apply(Plan((Create(RELEASES, render_release(opened)),)))
        spec = opened.spec
        log.info(
            "release opened",
            release=f"{release.namespace}/{release.name}",
            cause=spec.cause.value,
            attempt=spec.attempt,
            commit=spec.commit.sha[:12],
            way_back=spec.revert if spec.previous is not None else "none: this is the baseline",
        )

    def _live(self, workload: Workload) -> RolloutView | None:
        rollout = self.rollout(workload)
        return view_of(rollout) if rollout is not None else None

    def _holder(self, workload: Workload) -> Manifest | None:
        """The live object that the pod template lives in."""
        kind, namespace, name = workload.template.key
        return self._cache.get(DEPLOYMENTS, namespace, name) if kind == "Deployment" else self.rollout(workload)

    def _template(self, workload: Workload) -> Mapping[str, Any] | None:
        holder = self._holder(workload)
        return template_of(holder) if holder is not None else None

    def _found(self, workload: Workload) -> Found | None:
        live, holder = self._live(workload), self._holder(workload)
        replica_sets = self._cache.owned(REPLICA_SETS, uid_of(live.manifest)) if live is not None else ()
        return found_of(live, holder, replica_sets)

    def _earlier_runs(self, workload: Workload, asked: Asked) -> tuple[str, ...]:
        live = self._live(workload)
        runs = self._runs(live) if live is not None else []
        template = self._template(workload)
        there = template is not None and semantically_equal(dict(asked.content.template), unmarked(template))
        return earlier(runs, live, underway=there and live is not None and not live.promoted)

    def _runs(self, live: RolloutView) -> list[Run]:
        """Every run that the Rollout has, those of its experiments included."""
        uid = uid_of(live.manifest)
        own = [run_of(run) for run in self._cache.owned(ANALYSIS_RUNS, uid)]
        return [*own, *known_runs(self._cache, self._cache.owned(EXPERIMENTS, uid))]

    async def _details(self, source: SourcePort, tip: Tip, release: Release) -> Details:
        found = await self._pull(source.settings.name, release.spec.commit.sha)
        previous = release.spec.previous
        base = await source.parsed_at(previous.sha) if previous is not None and previous.sha else None
        if base is None:
            return found
        id = source_id(tip.parsed, release.namespace, release.spec.workload.name)
        outcome = await way_back(source, base, (tip.parsed, tip.parsed), id)
        revert, reason = revertability(outcome)
        traced = taken_back_by(outcome) if tip.parsed.inputs else ()
        return replace(found, changes=traced or moved(base, tip.parsed, id), revert=revert, revert_reason=reason)

    async def _pull(self, source: str, sha: str) -> Details:
        """The pull request; a forge that does not answer is asked again later, and never keeps a release from opening."""
        try:
            return Details(pull=await self._forges.pull_of(source, sha))
        except (Transient, Terminal) as error:
            log.warning("pull request unknown: asked again later", source=source, commit=sha[:12], reason=str(error))
            return Details(pull_unknown=True)

    async def _forget(self, history: list[Release], limit: int) -> None:
        gone = tuple(Remove(ObjectRef(RELEASES, release.namespace, release.name), release.uid) for release in expired(history, limit))
        if gone:
            await self._apply(Plan(gone))


def _answered(asked: Asked, history: list[Release]) -> bool:
    """True when the newest release says already that this first version is held."""
    return bool(history) and history[-1].spec.identity == asked.identity and history[-1].status.held


def _in_scope(workload: Workload, settings: SourceSettings) -> bool:
    """True for a workload that this source may write, or that another tool applies where the source is a companion."""
    allow = settings.allow
    if settings.companion:
        return not allow.namespaces or workload.template.key[1] in allow.namespaces
    return not any(refusal(part.manifest, allow) for part in (workload.owner, workload.template))
