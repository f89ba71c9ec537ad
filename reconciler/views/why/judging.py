"""Which policy judges which workload, and why; which templates measure it, and at which step. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.errors import MISSHAPEN, Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, CLUSTER_RELEASE_POLICIES, RELEASE_POLICIES
from reconciler.releases.policies.choice import Ranks, choose, farther
from reconciler.releases.policies.contradiction import contradiction
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import ReleasePolicy, WorkloadName
from reconciler.views.policies import JudgedWorkload, UsedTemplate


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The policies and templates of a cluster as they were read."""

    policies: Mapping[str, Sequence[Manifest]]
    """By kind."""
    templates: frozenset[tuple[str, str, str]]
    """Kind, namespace and name of each."""

    def ranks(self, namespace: str) -> Ranks:
        """Kind and policies, nearest first. Raises Terminal with the one that cannot be read: what it says is not guessed at."""
        for kind in (RELEASE_POLICIES.kind, CLUSTER_RELEASE_POLICIES.kind):
            near = kind == RELEASE_POLICIES.kind
            yield kind, [_parsed(one, kind) for one in self.policies.get(kind, ()) if not near or namespace_of(one) == namespace]


def _parsed(manifest: Manifest, kind: str) -> ReleasePolicy:
    try:
        return parse_policy(manifest)
    except Terminal as error:
        raise Terminal(f"{kind} {name_of(manifest)} cannot be read, and may be for it: {error}") from error


def judged_workload(rollout: Manifest, rules: RulesInForce) -> JudgedWorkload:
    """What judges one Rollout; whatever is wrong with it or with a policy is said, and costs only its own line."""
    namespace, name = namespace_of(rollout), name_of(rollout)
    names = _names(rollout)
    try:
        choice = choose(rules.ranks(namespace), namespace, names)
        beaten = (*choice.beaten, *farther(rules.ranks(namespace), choice, namespace, names))
    except Terminal as error:
        used = tuple(_used(rollout, None, rules))
        return JudgedWorkload(
            namespace=namespace, name=name, policy_kind="", policy="", reason="", beaten=(), problem=str(error), templates=used
        )
    return JudgedWorkload(
        namespace=namespace,
        name=name,
        policy_kind=choice.kind,
        policy=choice.policy.name,
        reason=choice.reason,
        beaten=beaten,
        problem=contradiction(choice.policy, rollout) or "",
        templates=tuple(_used(rollout, choice.policy, rules)),
    )


def _names(rollout: Manifest) -> tuple[WorkloadName, ...]:
    """By its own name, or by that of the workload that its template lives in."""
    own, spec = WorkloadName("Rollout", name_of(rollout)), rollout.get("spec")
    lent = spec.get("workloadRef") if isinstance(spec, dict) else None
    if not isinstance(lent, dict) or not lent.get("name"):
        return (own,)
    return (own, WorkloadName(str(lent.get("kind") or "Deployment"), str(lent["name"])))


def _used(rollout: Manifest, policy: ReleasePolicy | None, rules: RulesInForce) -> Iterator[UsedTemplate]:
    try:
        asked = [*_of_strategy(rollout), *_of_policy(policy)]
        refs = [(place, one) for place, analysis in asked for one in analysis.get("templates") or [] if isinstance(one, dict)]
    except MISSHAPEN:
        return
    for place, ref in refs:
        wide, name = ref.get("clusterScope") is True, str(ref.get("templateName") or "")
        kind = CLUSTER_ANALYSIS_TEMPLATES.kind if wide else ANALYSIS_TEMPLATES.kind
        key = (kind, "" if wide else namespace_of(rollout), name)
        yield UsedTemplate(kind=kind, name=name, place=place, missing=key not in rules.templates)


def _of_strategy(rollout: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    strategy = (rollout.get("spec") or {}).get("strategy") or {}
    canary, blue_green = strategy.get("canary") or {}, strategy.get("blueGreen") or {}
    steps: Iterable[Any] = canary.get("steps") or []
    for number, step in enumerate(steps, 1):
        if step.get("analysis"):
            yield f"step {number}", step["analysis"]
        for one in (step.get("experiment") or {}).get("analyses") or []:
            yield f"step {number}, experiment", {"templates": [one]}
    for place, analysis in (
        ("in the background", canary.get("analysis")),
        ("before promotion", blue_green.get("prePromotionAnalysis")),
        ("after promotion", blue_green.get("postPromotionAnalysis")),
    ):
        if analysis:
            yield place, analysis


def _of_policy(policy: ReleasePolicy | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if policy is not None and policy.after_promotion is not None:
        yield "after promotion, by the policy", policy.after_promotion.analysis
    if policy is not None and policy.reverify is not None:
        yield "again while it serves, by the policy", policy.reverify.analysis
