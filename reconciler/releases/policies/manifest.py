"""The words of ReleasePolicy and ClusterReleasePolicy, strictly (docs/configuration.md)."""

from datetime import timedelta
from typing import Any

from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.releases.comparison.manifest import compare_of, share_of
from reconciler.releases.policies.policy import AfterPromotion, MeasureAgain, ReleasePolicy, Reverify, WorkloadName
from reconciler.releases.preview.terms import preview_of

SHORTEST_AGAIN = timedelta(minutes=10)
OURS = ("selector", "template", "replicas", "workloadRef")


def parse_policy(manifest: Manifest) -> ReleasePolicy:
    """The policy of one manifest. Raises FieldError naming the first wrong field."""
    fields = StrictFields(manifest.get("spec") or {}, "spec")
    compare = fields.inner("compare", compare_of)
    policy = ReleasePolicy(
        name=name_of(manifest),
        namespace=namespace_of(manifest),
        workloads=fields.each("workloads", _workload),
        on_failure=fields.choice("onFailure", ("restore", "propose", "none"), "restore"),
        on_abort=fields.choice("onAbort", ("restore", "propose", "none"), "propose"),
        on_no_evidence=fields.choice("onNoEvidence", ("propose", "restore", "none"), "propose"),
        on_stuck=fields.choice("onStuck", ("abort", "wait"), "abort"),
        on_config_change=fields.choice("onConfigChange", ("roll", "none"), "roll"),
        crash_restarts=fields.whole("crashRestarts", 3, least=1),
        require_analysis=fields.flag("requireAnalysis", False),
        minimum_sample=fields.whole("minimumSample", 0),
        minimum_requests=fields.whole("minimumRequests", 0),
        minimum_requests_per_window=fields.whole("minimumRequestsPerWindow", 0),
        volume_metric=fields.text("volumeMetric", "volume"),
        keep_rejected=_optional_duration(fields, "keepRejected"),
        push_within=fields.duration("pushWithin", "1h"),
        hold_window=fields.duration("holdWindow", "24h"),
        measure_again=fields.inner("measureAgain", _measure_again) or MeasureAgain(),
        history_limit=fields.whole("historyLimit", 10, least=1),
        compare=compare,
        observed_share=fields.inner("observedShare", lambda inner: share_of(inner, compare)),
        preview=fields.inner("preview", preview_of),
        after_promotion=fields.inner("afterPromotion", _after_promotion),
        reverify=fields.inner("reverify", _reverify),
        rollout=_rollout(fields),
    )
    fields.done()
    return policy


def _optional_duration(fields: StrictFields, name: str) -> timedelta | None:
    return fields.duration(name) if fields.raw(name) is not None else None


def _measure_again(fields: StrictFields) -> MeasureAgain:
    again = MeasureAgain(fields.span("after", "5m"), fields.whole("limit", 2))
    fields.done()
    return again


def _workload(fields: StrictFields) -> WorkloadName:
    workload = WorkloadName(fields.choice("kind", ("Rollout", "Deployment")), fields.text("name"))
    fields.done()
    return workload


def _after_promotion(fields: StrictFields) -> AfterPromotion:
    after = AfterPromotion(fields.duration("window"), _analysis(fields))
    fields.done()
    return after


def _reverify(fields: StrictFields) -> Reverify:
    again = Reverify(fields.span("every"), fields.duration("window", "10m"), _analysis(fields))
    if again.every < SHORTEST_AGAIN:
        raise FieldError(fields.path("every"), "expected 10m or more")
    if again.window > again.every:
        raise FieldError(fields.path("window"), "is longer than every: one check would meet the next")
    fields.done()
    return again


def _analysis(fields: StrictFields) -> Manifest:
    analysis: Any = fields.raw("analysis")
    if not isinstance(analysis, dict) or not analysis.get("templates"):
        raise FieldError(fields.path("analysis"), "is required: name at least one template, as a Rollout's analysis does")
    return analysis


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
