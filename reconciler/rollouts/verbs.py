"""The patches behind the verbs, the same ones the kubectl plugin sends (contract 11.1)."""

from collections.abc import Sequence
from datetime import datetime

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, labels_of, name_of, namespace_of
from reconciler.kernel.plan import Patch, PatchStyle
from reconciler.kernel.resources import ANALYSIS_RUNS, DEPLOYMENTS, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL as HASH

REVISION = "rollout.argoproj.io/revision"


def ref_of(rollout: Manifest) -> ObjectRef:
    return ObjectRef(ROLLOUTS, namespace_of(rollout), name_of(rollout))


def abort(rollout: Manifest) -> tuple[Patch, ...]:
    return (_status(rollout, {"abort": True}),)


def retry(rollout: Manifest) -> tuple[Patch, ...]:
    return (_status(rollout, {"abort": False}),)


def pause(rollout: Manifest) -> tuple[Patch, ...]:
    return (Patch(ref_of(rollout), {"spec": {"paused": True}}),)


def resume(rollout: Manifest) -> tuple[Patch, ...]:
    """Take back a person's pause, and nothing else: a pause of the steps stays."""
    return (Patch(ref_of(rollout), {"spec": {"paused": False}}),) if rollout["spec"].get("paused") else ()


def restart(rollout: Manifest, at: datetime) -> tuple[Patch, ...]:
    return (Patch(ref_of(rollout), {"spec": {"restartAt": at.strftime("%Y-%m-%dT%H:%M:%SZ")}}),)


def terminate(namespace: str, name: str, kind: Resource = ANALYSIS_RUNS) -> tuple[Patch, ...]:
    """End an analysis run or an experiment."""
    return (Patch(ObjectRef(kind, namespace, name), {"spec": {"terminate": True}}),)


def promote(rollout: Manifest, *, full: bool) -> tuple[Patch, ...]:
    """Unpause, then resume, skip one step, or promote in full."""
    spec, status = rollout["spec"], rollout.get("status") or {}
    unpause = (Patch(ref_of(rollout), {"spec": {"paused": False}}),) if spec.get("paused") else ()
    if full:
        changed = status.get("currentPodHash") != status.get("stableRS")
        return (*unpause, _status(rollout, {"promoteFull": True})) if changed else unpause
    body = _next_step(spec, status)
    return (*unpause, _status(rollout, body)) if body else unpause


def _next_step(spec: Manifest, status: Manifest) -> Manifest:
    canary = (spec.get("strategy") or {}).get("canary") or {}
    steps = canary.get("steps") or []
    next_index = min(int(status.get("currentStepIndex") or 0) + 1, len(steps))
    paused = bool(status.get("pauseConditions"))
    run = (status.get("canary") or {}).get("currentStepAnalysisRunStatus") or {}
    if paused and status.get("controllerPause") and run.get("status") == "Inconclusive":
        return {"pauseConditions": None, "controllerPause": False, "currentStepIndex": next_index}
    if paused:
        return {"pauseConditions": None}
    return {"pauseConditions": None, "currentStepIndex": next_index} if steps else {}


def undo(rollout: Manifest, replica_sets: Sequence[Manifest], to_revision: int | None) -> tuple[Patch, ...]:
    """The template of an earlier revision, written where the template lives. Raises Terminal when there is no such revision."""
    by_revision = {int(annotations_of(rs).get(REVISION) or 0): rs for rs in replica_sets}
    current = int(annotations_of(rollout).get(REVISION) or 0)
    earlier = [revision for revision in by_revision if 0 < revision < current]
    wanted = to_revision or max(earlier, default=0)
    found = by_revision.get(wanted)
    if found is None:
        known = ", ".join(str(revision) for revision in sorted(by_revision)) or "none"
        raise Terminal(f"Rollout {namespace_of(rollout)}/{name_of(rollout)}: no revision {wanted or 'before this one'}; known: {known}")
    return (Patch(template_ref(rollout), [_template_operation(found)], PatchStyle.JSON),)


def template_ref(rollout: Manifest) -> ObjectRef:
    """Where the pod template lives: the Rollout, or the Deployment its workloadRef names."""
    reference = rollout["spec"].get("workloadRef") or {}
    if not reference:
        return ref_of(rollout)
    if reference.get("kind") != "Deployment":
        raise Terminal(f"Rollout {namespace_of(rollout)}/{name_of(rollout)}: its template lives in a {reference.get('kind')}: edit that")
    return ObjectRef(DEPLOYMENTS, namespace_of(rollout), str(reference.get("name")))


def set_image(holder: Manifest, images: dict[str, str]) -> Manifest:
    """The object with other images (`*` for all containers), to be PUT. Raises Terminal for a container that is not there."""
    template = holder["spec"]["template"]
    containers = template["spec"].get("containers") or []
    unknown = set(images) - {str(c.get("name")) for c in containers} - {"*"}
    if unknown:
        raise Terminal(f"{holder['kind']} {name_of(holder)}: no container {', '.join(sorted(unknown))}")
    changed = [{**c, "image": images.get(str(c.get("name")), images.get("*", c.get("image")))} for c in containers]
    new_template = {**template, "spec": {**template["spec"], "containers": changed}}
    return {**holder, "spec": {**holder["spec"], "template": new_template}}


def _template_operation(replica_set: Manifest) -> Manifest:
    template = replica_set["spec"]["template"]
    labels = {key: value for key, value in labels_of(template).items() if key != HASH}
    return {"op": "replace", "path": "/spec/template", "value": {**template, "metadata": {**template["metadata"], "labels": labels}}}


def _status(rollout: Manifest, body: Manifest) -> Patch:
    return Patch(ref_of(rollout), {"status": body}, subresource="status")
