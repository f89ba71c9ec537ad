"""Policies and analysis templates in a list: whom they speak for, what they say, and what is wrong with them. Pure."""

from typing import Any

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.redaction import Redactor
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.views.measuring.spans import spoken
from reconciler.views.view import View


class Setting(View, frozen=True, kw_only=True):
    """One thing that a policy says, in words."""

    name: str
    value: str


class PolicyRow(View, frozen=True, kw_only=True):
    """One ReleasePolicy or ClusterReleasePolicy."""

    kind: str
    namespace: str
    name: str
    workloads: tuple[str, ...]
    """Empty: every workload in its reach."""
    settings: tuple[Setting, ...]
    problem: str


class TemplateMetric(View, frozen=True, kw_only=True):
    """One question of a template, with its limits."""

    name: str
    provider: str
    query: str
    condition: str
    often: str


class TemplateRow(View, frozen=True, kw_only=True):
    """One AnalysisTemplate or ClusterAnalysisTemplate."""

    kind: str
    namespace: str
    name: str
    metrics: tuple[TemplateMetric, ...]


class UsedTemplate(View, frozen=True, kw_only=True):
    """A template that measures a workload, and where; `missing`: there is none of that name."""

    kind: str
    name: str
    place: str
    missing: bool


class JudgedWorkload(View, frozen=True, kw_only=True):
    """Which policy judges a workload, and why this one; which templates measure it, and when."""

    namespace: str
    name: str
    policy_kind: str
    """Empty: the shipped defaults."""
    policy: str
    reason: str
    beaten: tuple[str, ...]
    """Policies that speak for it, too, and are farther away."""
    problem: str
    """Why none judges it."""
    templates: tuple[UsedTemplate, ...]


class JudgingRules(View, frozen=True, kw_only=True):
    """What judges releases, what it asks, and which of it is for which workload."""

    policies: tuple[PolicyRow, ...]
    templates: tuple[TemplateRow, ...]
    workloads: tuple[JudgedWorkload, ...]


def policy_row(kind: str, manifest: Manifest) -> PolicyRow:
    """One policy; one that cannot be read says why."""
    try:
        policy, problem = parse_policy(manifest), ""
    except Terminal as error:
        policy, problem = None, str(error)
    return PolicyRow(
        kind=kind,
        namespace=namespace_of(manifest),
        name=name_of(manifest),
        workloads=tuple(f"{workload.kind} {workload.name}" for workload in policy.workloads) if policy else (),
        settings=_settings(policy) if policy else (),
        problem=problem,
    )


def _settings(policy: ReleasePolicy) -> tuple[Setting, ...]:
    after, again = policy.after_promotion, policy.reverify
    words = {
        "on failure": policy.on_failure,
        "on abort": policy.on_abort,
        "without evidence": policy.on_no_evidence,
        "when stuck": policy.on_stuck,
        "crash loop at": f"{policy.crash_restarts} restarts",
        "analysis": "required" if policy.require_analysis else "",
        "least sample": f"{policy.minimum_sample} measurements" if policy.minimum_sample else "",
        "least requests": f"{policy.minimum_requests} by metric {policy.volume_metric}" if policy.minimum_requests else "",
        "least requests a window": f"{policy.minimum_requests_per_window} by metric {policy.volume_metric}"
        if policy.minimum_requests_per_window
        else "",
        "keeps a rejected version": spoken(policy.keep_rejected.total_seconds()) if policy.keep_rejected is not None else "",
        "pushes within": spoken(policy.push_within.total_seconds()),
        "hold window": spoken(policy.hold_window.total_seconds()),
        "measures again": f"{policy.measure_again.limit} times, after {spoken(policy.measure_again.after.total_seconds())}",
        "history": f"{policy.history_limit} releases",
        "after promotion": f"watched for {spoken(after.window.total_seconds())}" if after is not None else "",
        "measured again": f"every {spoken(again.every.total_seconds())}, while it serves" if again is not None else "",
        "adopts": "plain Deployments" if policy.rollout is not None else "",
    }
    return tuple(Setting(name=name, value=value) for name, value in words.items() if value)


def template_row(kind: str, manifest: Manifest) -> TemplateRow:
    """One template; queries without their credentials."""
    metrics = (manifest.get("spec") or {}).get("metrics") or []
    return TemplateRow(
        kind=kind, namespace=namespace_of(manifest), name=name_of(manifest), metrics=tuple(_metric(metric) for metric in metrics)
    )


def _metric(metric: Manifest) -> TemplateMetric:
    provider = metric.get("provider") or {}
    name, config = next(((key, one) for key, one in provider.items() if isinstance(one, dict)), ("", {}))
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    limits = (f"succeeds when {success}" if success else "", f"fails when {failure}" if failure else "")
    return TemplateMetric(
        name=str(metric.get("name") or ""),
        provider=str(name),
        query=Redactor().text(" ".join(str(config.get("query") or config.get("url") or "").split())),
        condition="; ".join(part for part in limits if part),
        often=_often(metric),
    )


def _often(metric: dict[str, Any]) -> str:
    count, interval, allowed = metric.get("count"), metric.get("interval"), metric.get("failureLimit")
    times = f"{count} times" if count else "until it is stopped" if interval else "once"
    failures = f", {allowed} failure{'' if str(allowed) == '1' else 's'} allowed" if allowed else ""
    return f"{times}{f', every {interval}' if interval else ''}{failures}"
