"""Blue/green sizes: the stable side keeps all pods, the new one may start as a small preview (contract 2.7)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What decides the size of the new ReplicaSet.

    `size` is `previewReplicaCount`; `active_hash` names the ReplicaSet behind the active service, empty when it does not exist;
    `new_hash` is the new ReplicaSet's, `current_hash` is `status.currentPodHash`; `passed` is `status.blueGreen.scaleUpPreviewCheckPoint`.
    """

    size: int | None
    active_hash: str
    new_hash: str
    current_hash: str
    promote_full: bool = False
    paused: bool = False
    passed: bool = False


def preview_count(replicas: int, preview: Preview) -> int:
    """The new ReplicaSet's pods: the preview's size until the checkpoint is passed unpaused, then `replicas` (contract 2.7)."""
    if preview.size is None or preview.promote_full or preview.active_hash in ("", preview.new_hash):
        return replicas
    released = preview.passed and not preview.paused and preview.current_hash == preview.new_hash
    return replicas if released else preview.size
