"""The rules a rollout's own spec must keep; the first broken one is the answer (contract 12.2)."""

import json
from collections.abc import Iterator

from reconciler.kernel.identity import Manifest
from reconciler.kernel.problem import Problem, invalid, required
from reconciler.rollouts.spec.model import BlueGreen, Canary, RolloutSpec
from reconciler.rollouts.traffic.router import Routers
from reconciler.rollouts.validation.canary import canary_problems
from reconciler.rollouts.validation.rules import affinity_problems, argument_problems, negative_problems, same_services

GREATER = "must be greater than minReadySeconds"
HISTORY = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
SELECTOR_MISSING = "Rollout has missing field '.spec.selector'"


def spec_problem(rollout: Manifest, spec: RolloutSpec, routers: Routers) -> Problem | None:
    """The first broken rule of a spec whose workloadRef, if any, is resolved."""
    return next(spec_problems(rollout, spec, routers), None)


def spec_problems(rollout: Manifest, spec: RolloutSpec, routers: Routers) -> Iterator[Problem]:
    """All of them, in the order in which the controller looks."""
    yield from negative_problems(
        {
            "spec.replicas": spec.replicas,
            "spec.minReadySeconds": spec.min_ready_seconds,
            "spec.revisionHistoryLimit": spec.revision_history_limit,
            "spec.progressDeadlineSeconds": spec.progress_deadline,
        }
    )
    yield from _workload_ref(rollout, spec)
    yield from _selector(rollout, spec)
    yield from _template(spec)
    if spec.progress_deadline <= spec.min_ready_seconds:
        yield invalid("spec.progressDeadlineSeconds", spec.progress_deadline, GREATER)
    if isinstance(spec.strategy, Canary):
        yield from canary_problems(rollout, spec, routers)
    else:
        yield from _blue_green(rollout, spec, spec.strategy)


def _workload_ref(rollout: Manifest, spec: RolloutSpec) -> Iterator[Problem]:
    written = (rollout.get("spec") or {}).get("template") or {}
    if spec.workload_ref is not None and any(written.get(part) for part in ("metadata", "spec")):
        yield Problem("spec.template", "Internal error: template must be empty for workload reference rollout")


def _selector(rollout: Manifest, spec: RolloutSpec) -> Iterator[Problem]:
    if not spec.selector and rollout["spec"].get("selector") is None:
        yield required("spec.selector", SELECTOR_MISSING)
    elif not spec.selector.get("matchLabels") and not spec.selector.get("matchExpressions"):
        yield invalid("spec.selector", json.dumps(spec.selector), "empty selector is invalid for deployment")


def _template(spec: RolloutSpec) -> Iterator[Problem]:
    """The pod rules that a ReplicaSet would be refused for; everything else the API server says at creation."""
    labels = (spec.template.get("metadata") or {}).get("labels") or {}
    pod = spec.template.get("spec") or {}
    if any(labels.get(key) != value for key, value in (spec.selector.get("matchLabels") or {}).items()):
        yield invalid("spec.template.metadata.labels", json.dumps(labels), "`selector` does not match template `labels`")
    containers = pod.get("containers") or []
    if not containers:
        yield required("spec.template.spec.containers", "")
    for index, container in enumerate(containers):
        path = f"spec.template.spec.containers[{index}]"
        for field in ("name", "image"):
            if not container.get(field):
                yield required(f"{path}.{field}", "")
    names = [container.get("name") for container in containers]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(f"spec.template.spec.containers[{index}].name", f'Duplicate value: "{name}"')
    if pod.get("restartPolicy", "Always") != "Always":
        yield Problem("spec.template.spec.restartPolicy", f'Unsupported value: "{pod["restartPolicy"]}": supported values: "Always"')


def _blue_green(rollout: Manifest, spec: RolloutSpec, strategy: BlueGreen) -> Iterator[Problem]:
    if strategy.active_service == strategy.preview_service:
        yield same_services("spec.strategy.activeService", strategy.active_service, "active", "preview")
    limit = strategy.scale_down_delay_revisions
    if limit is not None and limit > spec.revision_history_limit:
        yield invalid("spec.strategy.scaleDownDelayRevisionLimit", limit, HISTORY)
    yield from affinity_problems("spec.strategy.antiAffinity", strategy.anti_affinity)
    for field, analysis in (("prePromotionAnalysis", strategy.pre_promotion), ("postPromotionAnalysis", strategy.post_promotion)):
        if analysis is not None:
            yield from argument_problems(f"spec.strategy.blueGreen.{field}", rollout, analysis.manifest)
