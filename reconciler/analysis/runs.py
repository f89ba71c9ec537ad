"""How rollouts make, adopt and end analysis runs (contract 6.4)."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.analysis.arguments import Unresolved, literals, merge_arguments
from reconciler.analysis.model import STEP_LABEL, TYPE_LABEL, RunKind, RunPhase
from reconciler.analysis.templates import Combined, combine
from reconciler.kernel.identity import Manifest, ObjectRef, controller_uid, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Patch
from reconciler.kernel.resources import ANALYSIS_RUNS, ROLLOUTS
from reconciler.kernel.well_known import HASH_LABEL, INSTANCE_ID, REVISION

COMPARED = ("metrics", "dryRun", "measurementRetention", "args")
SUFFIXES: Mapping[str, str] = {RunKind.BACKGROUND: "", RunKind.PRE_PROMOTION: "-pre", RunKind.POST_PROMOTION: "-post"}


def new_run(  # noqa: PLR0913 - the facts of contract 6.4
    *,
    rollout: Manifest,
    kind: str,
    step_index: int | None,
    templates: Sequence[Manifest],
    analysis: Manifest,
    new_hash: str,
    stable_hash: str,
    revision: int | str,
    existing: Iterable[Manifest],
    instance_id: str = "",
) -> Manifest | str:
    """The run an analysis asks for: an `existing` one when it can be reused (it has a uid), else one to create; a text: it cannot be made.

    `existing` are all runs that may bear its name, foreign ones included; `kind` is a `RunKind`.
    """
    combined = combine(templates, analysis)
    if isinstance(combined, str):
        return combined
    try:
        given = literals(analysis.get("args") or [], rollout, {"Latest": new_hash, "Stable": stable_hash})
        arguments = merge_arguments(given, combined.arguments)
    except Unresolved as error:
        return str(error)
    suffix = f"-{step_index}" if kind == RunKind.STEP else SUFFIXES[kind]
    step_label = {STEP_LABEL: str(step_index)} if kind == RunKind.STEP else {}
    instance = {INSTANCE_ID: instance_id} if instance_id else {}
    metadata = _metadata(rollout, analysis, {HASH_LABEL: new_hash, TYPE_LABEL: str(kind), **step_label, **instance})
    run = {
        "apiVersion": ANALYSIS_RUNS.api_version,
        "kind": ANALYSIS_RUNS.kind,
        "metadata": {
            **metadata,
            "name": f"{name_of(rollout)}-{new_hash}-{revision}{suffix}",
            "annotations": {REVISION: str(revision), **metadata["annotations"]},
        },
        "spec": run_spec(combined, arguments),
    }
    return placed(run, existing)


def reusable(existing: Manifest, wanted: Manifest) -> bool:
    """True when a run of the same name is the wanted one: same owner, unfinished, not told to end, asking the same."""
    ended = (existing.get("status") or {}).get("phase") in [phase for phase in RunPhase if phase.completed]  # any other word is no end
    if controller_uid(existing) != controller_uid(wanted) or ended or (existing.get("spec") or {}).get("terminate"):
        return False
    return all(_member(existing, name) == _member(wanted, name) for name in COMPARED)


def terminate(run: Manifest) -> Patch:
    """Ask a run to end, as `kubectl argo rollouts terminate` does (contract 11.1)."""
    return Patch(ObjectRef(ANALYSIS_RUNS, namespace_of(run), name_of(run)), {"spec": {"terminate": True}})


def _member(run: Manifest, name: str) -> object:
    """Absent, null and empty are the same list."""
    return (run.get("spec") or {}).get(name) or []


def _metadata(rollout: Manifest, analysis: Manifest, labels: Mapping[str, str]) -> Manifest:
    """Later sources of labels override earlier ones: ours, the analysis's own, the rollout's selector."""
    wanted = analysis.get("analysisRunMetadata") or {}
    selector = ((rollout.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    owner = {
        "apiVersion": ROLLOUTS.api_version,
        "kind": ROLLOUTS.kind,
        "name": name_of(rollout),
        "uid": uid_of(rollout),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "namespace": namespace_of(rollout),
        "labels": {**labels, **(wanted.get("labels") or {}), **selector},
        "annotations": dict(wanted.get("annotations") or {}),
        "ownerReferences": [owner],
    }


def run_spec(combined: Combined, arguments: list[Manifest]) -> Manifest:
    """The spec of a run out of combined templates and arguments with their values."""
    optional = {"args": arguments, "dryRun": list(combined.dry_run), "measurementRetention": list(combined.retention)}
    return {"metrics": list(combined.metrics), **{name: value for name, value in optional.items() if value}}


def placed(run: Manifest, existing: Iterable[Manifest]) -> Manifest:
    """The run under the first name that is free, or the one that already bears it."""
    taken = {name_of(other): other for other in existing}
    wanted = name = name_of(run)
    collisions = 0
    while name in taken:
        if reusable(taken[name], run):
            return taken[name]
        collisions += 1
        name = f"{wanted}.{collisions}"
    return {**run, "metadata": {**run["metadata"], "name": name}}
