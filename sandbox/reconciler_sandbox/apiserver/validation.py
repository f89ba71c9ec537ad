"""What built-in kinds insist on: the mistakes that clients and their tests can run into, not every rule of a real server."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler_sandbox.apiserver import corerules, definitionrules, events, workloadrules
from reconciler_sandbox.apiserver.causes import Cause
from reconciler_sandbox.apiserver.kinds import RBAC, Kind

Manifest = dict[str, Any]


def validate(kind: Kind, new: Manifest, old: Manifest | None) -> list[Cause]:
    """What is wrong with an object, or with its change."""
    check = CHECKS.get(kind.qualified)
    return check(new, old) if check else []


CHECKS: Mapping[str, Callable[[Manifest, Manifest | None], list[Cause]]] = {
    "deployments.apps": workloadrules.deployment,
    "replicasets.apps": workloadrules.workload,
    "statefulsets.apps": workloadrules.stateful,
    "daemonsets.apps": workloadrules.workload,
    "controllerrevisions.apps": corerules.revision,
    "jobs.batch": workloadrules.job,
    "cronjobs.batch": workloadrules.cron_job,
    "pods": workloadrules.pod,
    "podtemplates": workloadrules.pod_template,
    "services": corerules.service,
    "endpoints": corerules.endpoints,
    "configmaps": corerules.config_map,
    "secrets": corerules.secret,
    "persistentvolumeclaims": corerules.claim,
    "events": events.validate,
    "leases.coordination.k8s.io": corerules.lease,
    f"roles.{RBAC}": corerules.role,
    f"clusterroles.{RBAC}": corerules.cluster_role,
    f"rolebindings.{RBAC}": corerules.binding,
    f"clusterrolebindings.{RBAC}": corerules.binding,
    "ingresses.networking.k8s.io": corerules.ingress,
    "networkpolicies.networking.k8s.io": corerules.network_policy,
    "poddisruptionbudgets.policy": corerules.budget,
    "customresourcedefinitions.apiextensions.k8s.io": definitionrules.definition,
}
