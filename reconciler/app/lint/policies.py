"""What is wrong with a ReleasePolicy: its own words, the workloads it means, and what it promises for them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.analysis.model import RunKind
from reconciler.app.lint.companion import idle_policy_remarks
from reconciler.app.lint.finding import Remark, Remarks
from reconciler.app.lint.library import Library
from reconciler.app.lint.rollouts import analysis_remarks, rollout_remarks
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.problem import InvalidField
from reconciler.kernel.strict import FieldError
from reconciler.releases.policies.contradiction import not_comparable
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.rollouts.spec.manifest import parse_rollout
from reconciler.sources.documents import Located
from reconciler.sync.adoption import adoption

ALL_AT_ONCE = "compare needs users on both versions, and the blue/green Rollout {name} moves all of them at once: take one of the two away"
WATCH = "spec.afterPromotion.analysis"
SHRINKS = (
    "afterPromotion keeps the old version warm, dynamicStableScale of Rollout {name} shrinks it while traffic moves: "
    "take one of the two away"
)


def policy_remarks(manifest: Manifest, library: Library) -> Remarks:
    """Every broken rule of one policy."""
    try:
        policy = parse_policy(manifest)
    except FieldError as error:
        yield Remark(error.path, error.problem)
        return
    if library.accompanied:
        yield from idle_policy_remarks(manifest)
    yield from _named(policy, library)
    yield from _rivals(manifest, policy, library)
    rollouts = {name_of(rollout): rollout for rollout in _rollouts(policy, library)}
    yield from _compare(policy, rollouts)
    yield from _after_promotion(policy, rollouts, library)
    yield from _reverify(policy, rollouts, library)
    yield from _adoption(policy, library)


def _named(policy: ReleasePolicy, library: Library) -> Remarks:
    """A workload that a namespaced policy names should be there; a cluster policy speaks of many namespaces."""
    if not policy.namespace:
        return
    for index, workload in enumerate(policy.workloads):
        place = (workload.kind, policy.namespace, workload.name)
        if library.find(*place) is None:
            yield library.missing(f"spec.workloads[{index}].name", place, policy.namespace)


def _rivals(manifest: Manifest, policy: ReleasePolicy, library: Library) -> Remarks:
    """Two policies of equal rank for one workload judge nothing (docs/configuration.md); told on the later one."""
    for other in library.of_kind(str(manifest["kind"])):
        if other.manifest is manifest:
            return
        rival = _parsed(other)
        if rival is None or rival.namespace != policy.namespace:
            continue
        both = set(rival.workloads) & set(policy.workloads)
        if both or not (rival.workloads or policy.workloads):
            what = ", ".join(sorted(f"{workload.kind} {workload.name}" for workload in both)) or "all workloads"
            yield Remark("spec.workloads", f"{what} also claimed by {other.manifest['kind']} {rival.name} ({other.file}:{other.line})")


def _parsed(located: Located) -> ReleasePolicy | None:
    try:
        return parse_policy(located.manifest)
    except FieldError:
        return None  # told where that policy itself is looked at


def _rollouts(policy: ReleasePolicy, library: Library) -> Iterator[Manifest]:
    """The Rollouts this policy speaks of: written by people, or made by it."""
    for located in library.of_kind("Rollout"):
        if policy.concerns(located.key[1], "Rollout", located.key[2]):
            yield located.manifest
    yield from (rollout for _, rollout in _adopted(policy, library))


def _adopted(policy: ReleasePolicy, library: Library) -> Iterator[tuple[Manifest, Manifest]]:
    """Deployments that the policy adopts, each with the Rollout that would be made for it."""
    if policy.rollout is None:
        return
    for located in library.of_kind("Deployment"):
        if policy.concerns(located.key[1], "Deployment", located.key[2]) and isinstance(located.manifest.get("spec"), dict):
            yield located.manifest, adoption(located.manifest, None, None, policy.rollout).rollout


def _compare(policy: ReleasePolicy, rollouts: Mapping[str, Manifest]) -> Remarks:
    for name, rollout in rollouts.items():
        if policy.compare is not None and not_comparable(rollout):
            yield Remark("spec.compare", ALL_AT_ONCE.format(name=name))


def _after_promotion(policy: ReleasePolicy, rollouts: Mapping[str, Manifest], library: Library) -> Remarks:
    after = policy.after_promotion
    if after is None:
        return
    for name, rollout in rollouts.items():
        if _dynamic(rollout):
            yield Remark("spec.afterPromotion", SHRINKS.format(name=name))
    some = next(iter(rollouts.values()), {"metadata": {"name": policy.name, "namespace": policy.namespace}})
    yield from analysis_remarks(WATCH, RunKind.POST_PROMOTION, after.analysis, some, library)


def _reverify(policy: ReleasePolicy, rollouts: Mapping[str, Manifest], library: Library) -> Remarks:
    if policy.reverify is None:
        return
    some = next(iter(rollouts.values()), {"metadata": {"name": policy.name, "namespace": policy.namespace}})
    yield from analysis_remarks("spec.reverify.analysis", RunKind.POST_PROMOTION, policy.reverify.analysis, some, library)


def _dynamic(rollout: Manifest) -> bool:
    try:
        canary = parse_rollout(rollout).canary
    except InvalidField:
        return False  # told where that Rollout itself is looked at
    return canary is not None and canary.dynamic_stable_scale


def _adoption(policy: ReleasePolicy, library: Library) -> Remarks:
    """The strategy of a policy obeys the rules of Rollouts; its fields stand below `spec.rollout`."""
    if policy.rollout is None:
        return
    adopted = list(_adopted(policy, library))
    for deployment, rollout in adopted:
        clash = library.find("Rollout", namespace_of(deployment), name_of(deployment))
        if clash is not None:
            yield Remark("spec.rollout", f"Rollout {name_of(deployment)} is written already: remove it, or this strategy")
        yield from _moved(rollout_remarks(rollout, library))
    if not adopted:
        stand_in = {"metadata": {"name": policy.name, "namespace": policy.namespace}, "spec": {}}
        rollout = adoption(stand_in, None, None, policy.rollout).rollout
        yield from (remark for remark in _moved(rollout_remarks(rollout, library)) if "workloadRef" not in remark.field)


def _moved(remarks: Remarks) -> Remarks:
    for remark in remarks:
        yield replace(remark, field=remark.field.replace("spec.", "spec.rollout.", 1))
