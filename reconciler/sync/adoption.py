"""A plain Deployment released by a Rollout of ours, and given back without losing a pod (ADR 0018).

Rollout from the live template → its pods available → the Deployment to 0 (contract 1.6, `scaleDown: onsuccess`) → only then a new image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.kernel.identity import Manifest, ObjectRef, annotations_of, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Action, Patch, Remove
from reconciler.kernel.resources import DEPLOYMENTS, ROLLOUTS

ADOPTED = "reconciler.dev/adopted"


@dataclass(frozen=True, slots=True)
class Adoption:
    """How far an adoption is: the Rollout that should live, and whether the Deployment's template may change yet."""

    rollout: Manifest
    done: bool


def objection(deployment: Manifest, rollout: Manifest | None, autoscalers: Sequence[Manifest]) -> str | None:
    """Why a Deployment cannot be adopted, with what to do; None when it can."""
    name, namespace = name_of(deployment), namespace_of(deployment)
    for autoscaler in autoscalers:
        target = autoscaler["spec"].get("scaleTargetRef") or {}
        if (target.get("kind"), target.get("name"), namespace_of(autoscaler)) == ("Deployment", name, namespace):
            return (
                f"Deployment {namespace}/{name} is not adopted: HorizontalPodAutoscaler {name_of(autoscaler)} owns its replicas; "
                "point it at the Rollout of the same name, or take the policy's rollout away"
            )
    if rollout is not None and labels_of(rollout).get(ADOPTED) != "true":
        return f"Deployment {namespace}/{name} is not adopted: somebody else's Rollout of that name is there; remove one of the two"
    return None


def adoption(desired: Manifest, live: Manifest | None, rollout: Manifest | None, spec: Manifest) -> Adoption:
    """The Rollout for one Deployment of Git. `spec` is the policy's; replicas are the Deployment's as Git has them."""
    wanted = {
        "apiVersion": ROLLOUTS.api_version,
        "kind": ROLLOUTS.kind,
        "metadata": {"name": name_of(desired), "namespace": namespace_of(desired), "labels": {ADOPTED: "true"}},
        "spec": {
            **spec,
            "replicas": desired["spec"].get("replicas", 1),
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name_of(desired), "scaleDown": "onsuccess"},
        },
    }
    return Adoption(wanted, live is None or _taken_over(live, rollout))


def _taken_over(deployment: Manifest, rollout: Manifest | None) -> bool:
    """The Rollout serves alone: it has a stable version, and the Deployment asks for no pod any more."""
    status = (rollout or {}).get("status") or {}
    return bool(status.get("stableRS")) and deployment["spec"].get("replicas") == 0


def orphans(rollouts: Sequence[Manifest], source: str, adopted: Sequence[tuple[str, str]]) -> list[Manifest]:
    """Rollouts that we made for this source and whose Deployment no policy wants released any more."""
    mine = [r for r in rollouts if labels_of(r).get(ADOPTED) == "true" and annotations_of(r).get("reconciler.dev/source") == source]
    return [r for r in mine if (namespace_of(r), name_of(r)) not in set(adopted)]


def give_back(rollout: Manifest, deployment: Manifest | None) -> tuple[Action, ...]:
    """One step of handing a workload back: the Deployment's pods first, the Rollout last. Repeat until nothing is left to do.

    While a release is on its way nothing is done: the Deployment's template may be one that was rejected.
    """
    place = ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout))
    remove = Remove(place, uid_of(rollout))
    if deployment is None:
        return (remove,)
    status, spec = rollout.get("status") or {}, rollout["spec"]
    if status.get("phase") != "Healthy" or status.get("currentPodHash") != status.get("stableRS"):
        return ()
    if (spec.get("workloadRef") or {}).get("scaleDown") != "never":
        return (Patch(place, {"spec": {"workloadRef": {**spec["workloadRef"], "scaleDown": "never"}}}),)
    wanted = int(spec.get("replicas", 1))
    if int(deployment["spec"].get("replicas") or 0) < wanted:
        return (Patch(ObjectRef(DEPLOYMENTS, namespace_of(deployment), name_of(deployment)), {"spec": {"replicas": wanted}}),)
    available = int((deployment.get("status") or {}).get("availableReplicas") or 0)
    return (remove,) if available >= wanted else ()
