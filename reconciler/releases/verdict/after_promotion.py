"""The AnalysisRun that watches a version once all users are on it: ours, owned by the Release, so the rollout layer leaves it alone."""

from collections.abc import Sequence

from reconciler.analysis.arguments import literals, merge_arguments
from reconciler.analysis.runs import run_spec
from reconciler.analysis.templates import combine
from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, labels_of
from reconciler.kernel.resources import ANALYSIS_RUNS, RELEASES
from reconciler.kernel.well_known import INSTANCE_ID
from reconciler.releases.facts import RELEASE
from reconciler.releases.model import Release


def after_name(release: Release) -> str:
    """Deterministic, so that a pass cut in half finds the run it made."""
    return f"{release.name[:240]}-after"


def run_after_promotion(name: str, release: Release, rollout: Manifest, analysis: Manifest, templates: Sequence[Manifest]) -> Manifest:
    """The run to create. Raises Terminal when the policy's templates or arguments do not go together."""
    combined = combine(templates, analysis)
    if isinstance(combined, str):
        raise Terminal(f"the policy's analysis of release {release.name}: {combined}")
    hashes = {"Latest": release.status.pod_hash, "Stable": release.spec.previous.pod_hash if release.spec.previous else ""}
    arguments = merge_arguments(literals(analysis.get("args") or [], rollout, hashes), combined.arguments)
    instance = {INSTANCE_ID: labels_of(rollout)[INSTANCE_ID]} if INSTANCE_ID in labels_of(rollout) else {}
    owner = {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "name": release.name,
        "uid": release.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": ANALYSIS_RUNS.api_version,
        "kind": ANALYSIS_RUNS.kind,
        "metadata": {
            "name": name,
            "namespace": release.namespace,
            "labels": instance,
            "annotations": {RELEASE: release.name},  # not a label: those end at 63 characters, and names of releases do not
            "ownerReferences": [owner],
        },
        "spec": run_spec(combined, arguments),
    }
