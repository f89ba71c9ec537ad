"""What serves where no Release says so, told from the cluster's side: the stable pods' template, or an available Deployment's. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import Manifest, labels_of, name_of
from reconciler.kernel.well_known import HASH_LABEL
from reconciler.releases.model import Content
from reconciler.releases.opening.config_mark import mark_of, unmarked
from reconciler.releases.opening.opening import Asked, Serving
from reconciler.releases.verdict.runs import Run
from reconciler.rollouts.replicas.template import semantically_equal, without_injected
from reconciler.rollouts.view import RolloutView
from reconciler.sources.images import container_images, template_of
from reconciler.sources.model import Commit
from reconciler.yamledit.differences import canonical


@dataclass(frozen=True, slots=True)
class Found:
    """A pod template that serves. `pod_hash` is empty for a Deployment that no Rollout has taken over yet."""

    template: Manifest
    pod_hash: str = ""
    config_mark: str = ""
    """What the live template bears besides."""

    @property
    def images(self) -> dict[str, str]:
        carrier = {"kind": "Deployment", "spec": {"template": self.template}}
        return {container: text for container, _, text in container_images(carrier)}

    def is_(self, template: Mapping[str, Any], images: Mapping[str, str]) -> bool:
        """True when a version in Git is this one: its template means the same, or has the same images where admission changed the rest."""
        return semantically_equal(dict(template), self.template) or dict(images) == self.images

    def as_git_has_it(self, asked: Asked) -> Serving:
        """The version, with what a commit that asks for it says."""
        return Serving(
            images=asked.images,
            content=asked.content,
            identity=asked.identity,
            commit=asked.commit,
            pod_hash=self.pod_hash,
            config_mark=self.config_mark,
        )

    @property
    def unknown_to_git(self) -> Serving:
        """The version as it stands in the cluster, where no commit near the tip asks for it."""
        digest = hashlib.sha256(canonical(self.template).encode()).hexdigest()
        return Serving(
            images=self.images,
            content=Content(template=self.template),
            identity=digest,
            commit=Commit(sha=""),
            pod_hash=self.pod_hash,
            config_mark=self.config_mark,
        )


def found_of(live: RolloutView | None, template_holder: Manifest | None, replica_sets: Sequence[Manifest]) -> Found | None:
    """What serves: a healthy Rollout, the stable ReplicaSet with a pod that is available, or a Deployment whose pods all are.

    `template_holder` is the live object that the pod template lives in. None when nothing serves.
    """
    template = template_of(template_holder) if template_holder is not None else None
    if live is not None and live.promoted and live.healthy and template is not None:
        return _found(dict(template), live.stable)
    if live is not None:
        stable = next((rs for rs in replica_sets if live.stable and labels_of(rs).get(HASH_LABEL) == live.stable), None)
        return _found(without_injected(stable), live.stable) if stable is not None and _available(stable) else None
    if template_holder is None or template_holder.get("kind") != "Deployment" or not all_available(template_holder):
        return None
    return _found(dict(template)) if template is not None else None


def all_available(deployment: Manifest) -> bool:
    """True when all pods of a Deployment serve."""
    wanted = int((deployment.get("spec") or {}).get("replicas") or 0)
    return 0 < wanted <= int((deployment.get("status") or {}).get("availableReplicas") or 0)


def earlier(runs: Sequence[Run], live: RolloutView | None, *, underway: bool) -> tuple[str, ...]:
    """UIDs of the runs that are no part of a release that opens now.

    All that are there, unless the version is `underway` already, because another tool applied it or we come late: then the runs of its
    pods that the status names, or that began with this attempt, are its own.
    """
    if live is None or not underway:
        return tuple(run.uid for run in runs)
    named = {run.name for run in live.named_runs}

    def own(run: Run) -> bool:
        began = bool(live.began) and str(run.manifest["metadata"].get("creationTimestamp") or "") >= live.began
        tried = run.experiment is not None and name_of(run.experiment) == live.experiment
        return run.hash == live.current and (run.name in named or tried or began)

    return tuple(run.uid for run in runs if not own(run))


def _available(replica_set: Manifest) -> bool:
    return int((replica_set.get("status") or {}).get("availableReplicas") or 0) > 0


def _found(template: Manifest, pod_hash: str = "") -> Found:
    return Found(unmarked(_plain(template) if pod_hash else template), pod_hash, mark_of(template))


def _plain(template: Manifest) -> Manifest:
    labels = {key: value for key, value in (template.get("metadata", {}).get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}}
