"""What the kinds that make pods insist on: Deployments and their kin, Jobs, and pods themselves (see `podrules`)."""

import re
from typing import Any

from reconciler_sandbox.apiserver import rules
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.podrules import pod_spec
from reconciler_sandbox.apiserver.selectors import from_object

Manifest = dict[str, Any]
TEMPLATE = "spec.template.spec"
PERCENT_RULE = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
COUNTERS = ("updatedReplicas", "readyReplicas", "availableReplicas")
POD_CHANGES = frozenset(
    {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates", "containers", "initContainers"}
)
UNBOUND_CHANGES = frozenset({"nodeName", "nodeSelector", "affinity"})


def _template(manifest: Manifest | None) -> Manifest:
    return ((manifest or {}).get("spec") or {}).get("template") or {}


def workload(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A selector that never changes and matches the template, and pods that are always started again."""
    spec, template = new["spec"], _template(new)
    causes = rules.not_negative(spec, "spec", "replicas", "minReadySeconds")
    causes += _selector(spec.get("selector"))
    if not from_object(spec.get("selector"))(template):
        causes.append(_unmatched(template))
    causes += pod_spec(template.get("spec"), TEMPLATE, _template(old).get("spec") if old else None)
    causes += _always_restarted(template.get("spec") or {})
    return causes + rules.unchanged(new, old, "selector")


def _selector(selector: Any) -> list[Cause]:
    if selector is None:
        return [rules.missing("spec.selector")]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [rules.invalid("spec.selector", selector, "empty selector is invalid for deployment")]
    causes = rules.label_selector(selector, "spec.selector")
    return [*causes, rules.invalid("spec.selector", selector, "invalid label selector")] if causes else []


def _unmatched(template: Manifest) -> Cause:
    labels = (template.get("metadata") or {}).get("labels") or {}
    return rules.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _always_restarted(spec: Manifest) -> list[Cause]:
    causes = rules.choice(spec, TEMPLATE, "restartPolicy", ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        causes.append(rules.forbidden(f"{TEMPLATE}.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported"))
    return causes


def stateful(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A StatefulSet."""
    causes = workload(new, old)
    policy = new["spec"].get("podManagementPolicy")
    if policy not in (None, "OrderedReady", "Parallel"):
        causes.append(rules.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    return causes


def deployment(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Deployment."""
    spec = new["spec"]
    causes = _strategy(spec.get("strategy") or {}) + rules.not_negative(spec, "spec", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and 0 <= deadline <= spec.get("minReadySeconds", 0):
        causes.append(rules.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes + workload(new, old) + _counters(new.get("status") or {}, old)


def _counters(status: Manifest, old: Manifest | None) -> list[Cause]:
    """What a status counts: never less than nothing, and no part more than the whole."""
    if old is None or status == old.get("status"):
        return []
    causes = rules.not_negative(status, "status", "replicas", *COUNTERS, "observedGeneration")
    total = status.get("replicas", 0)
    parts = [(name, status.get(name, 0)) for name in COUNTERS]
    causes += [rules.invalid(f"status.{name}", count, "cannot be greater than status.replicas") for name, count in parts if count > total]
    if status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        causes.append(rules.invalid("status.availableReplicas", status["availableReplicas"], "cannot be greater than readyReplicas"))
    return causes


def _strategy(strategy: Manifest) -> list[Cause]:
    causes = rules.choice(strategy, "spec.strategy", "type", ("Recreate", "RollingUpdate"))
    path, rolling = "spec.strategy.rollingUpdate", strategy.get("rollingUpdate") or {}
    if strategy.get("type") == "Recreate" and rolling:
        causes.append(rules.forbidden(path, "may not be specified when strategy `type` is 'Recreate'"))
    if strategy.get("type") != "RollingUpdate":
        return causes
    for name in ("maxUnavailable", "maxSurge"):
        causes += _portion(rolling.get(name), f"{path}.{name}")
    unavailable = rolling.get("maxUnavailable")
    if isinstance(unavailable, str) and re.fullmatch(r"\d+%", unavailable) and int(unavailable[:-1]) > 100:
        causes.append(rules.invalid(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%"))
    if not causes and all(rolling.get(name) in (0, "0%") for name in ("maxUnavailable", "maxSurge")):
        causes.append(rules.invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return causes


def _portion(value: Any, path: str) -> list[Cause]:
    """A number, or a percentage."""
    if isinstance(value, str) and not re.fullmatch(r"\d+%", value):
        return [rules.invalid(path, value, PERCENT_RULE)]
    return [rules.invalid(path, value, rules.NOT_NEGATIVE)] if isinstance(value, int) and value < 0 else []


def job(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Job."""
    spec = new["spec"]
    causes = rules.not_negative(
        spec, "spec", "parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"
    )
    template = _template(new)
    causes += pod_spec(template.get("spec"), TEMPLATE, _template(old).get("spec") if old else None)
    if (template.get("spec") or {}).get("restartPolicy") not in ("OnFailure", "Never"):
        causes.append(rules.missing(f"{TEMPLATE}.restartPolicy", 'valid values: "OnFailure", "Never"'))
    if spec.get("selector") and not from_object(spec["selector"])(template):
        causes.append(_unmatched(template))
    return causes + rules.unchanged(new, old, "selector", "template", "completionMode", "completions")


def cron_job(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A CronJob."""
    spec = new["spec"]
    causes = rules.required(spec, "spec", "schedule") + rules.choice(spec, "spec", "concurrencyPolicy", ("Allow", "Forbid", "Replace"))
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    return causes + pod_spec(template.get("spec"), "spec.jobTemplate.spec.template.spec")


def pod_template(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A PodTemplate."""
    return pod_spec((new.get("template") or {}).get("spec"), "template.spec")


def pod(new: Manifest, old: Manifest | None) -> list[Cause]:
    """A Pod, of which little but the images may change."""
    causes = pod_spec(new["spec"], "spec", old["spec"] if old else None)
    if old is None or causes:
        return causes
    changed = {name for name in {*new["spec"], *old["spec"]} if new["spec"].get(name) != old["spec"].get(name)}
    allowed = POD_CHANGES if old["spec"].get("nodeName") else POD_CHANGES | UNBOUND_CHANGES
    if changed - allowed or _without_images(new) != _without_images(old):
        text = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        text += "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)"
        return [rules.forbidden("spec", text)]
    return []


def _without_images(manifest: Manifest) -> list[Manifest]:
    containers = [*(manifest["spec"].get("initContainers") or ()), *manifest["spec"]["containers"]]
    return [{name: inner for name, inner in one.items() if name not in ("image", "resources")} for one in containers]
