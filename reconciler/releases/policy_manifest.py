"""The words of ReleasePolicy and ClusterReleasePolicy, strictly (docs/configuration.md)."""

from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.releases.policy import AfterPromotion, ReleasePolicy, WorkloadName

OURS = ("selector", "template", "replicas", "workloadRef")


def parse_policy(manifest: Manifest) -> ReleasePolicy:
    """The policy of one manifest. Raises FieldError naming the first wrong field."""
    fields = StrictFields(manifest.get("spec") or {}, "spec")
    policy = ReleasePolicy(
        name=name_of(manifest),
        namespace=namespace_of(manifest),
        workloads=fields.each("workloads", _workload),
        on_failure=fields.choice("onFailure", ("restore", "propose", "none"), "restore"),
        on_abort=fields.choice("onAbort", ("restore", "propose", "none"), "propose"),
        on_stuck=fields.choice("onStuck", ("abort", "wait"), "abort"),
        require_analysis=fields.flag("requireAnalysis", False),
        minimum_sample=fields.whole("minimumSample", 0),
        keep_rejected=fields.duration("keepRejected", "0s"),
        history_limit=fields.whole("historyLimit", 10, least=1),
        after_promotion=fields.inner("afterPromotion", _after_promotion),
        rollout=_rollout(fields),
    )
    fields.done()
    return policy


def _workload(fields: StrictFields) -> WorkloadName:
    workload = WorkloadName(fields.choice("kind", ("Rollout", "Deployment")), fields.text("name"))
    fields.done()
    return workload


def _after_promotion(fields: StrictFields) -> AfterPromotion:
    analysis: Any = fields.raw("analysis")
    if not isinstance(analysis, dict) or not analysis.get("templates"):
        raise FieldError(fields.path("analysis"), "is required: name at least one template, as a Rollout's analysis does")
    after = AfterPromotion(fields.duration("window"), analysis)
    fields.done()
    return after


def _rollout(fields: StrictFields) -> Manifest | None:
    rollout: Any = fields.raw("rollout")
    if rollout is None:
        return None
    if not isinstance(rollout, dict) or not rollout.get("strategy"):
        raise FieldError(fields.path("rollout"), "needs a strategy: canary or blueGreen, as a Rollout's spec has it")
    for name in OURS:
        if name in rollout:
            raise FieldError(fields.path(f"rollout.{name}"), "is taken from the Deployment: leave it out")
    return rollout
