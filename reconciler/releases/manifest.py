"""The words of our own Release kind: manifests in, manifests and status patches out."""

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, name_of, namespace_of, uid_of
from reconciler.kernel.merge import merge_patch
from reconciler.kernel.resources import RELEASES
from reconciler.kernel.struct import Moment
from reconciler.releases.model import Release, ReleaseSpec, ReleaseStatus

SOURCE_LABEL = "reconciler.dev/source"
WORKLOAD_LABEL = "reconciler.dev/workload"


def parse_release(manifest: Manifest) -> Release:
    """The Release of one manifest. Raises Terminal for one that does not fit, because it was written by hand."""
    try:
        return Release(
            name=name_of(manifest),
            namespace=namespace_of(manifest),
            uid=uid_of(manifest),
            version=str(manifest["metadata"].get("resourceVersion", "")),
            created=msgspec.convert(manifest["metadata"].get("creationTimestamp"), Moment | None),
            spec=msgspec.convert(manifest.get("spec"), ReleaseSpec),
            status=msgspec.convert(manifest.get("status") or {}, ReleaseStatus),
        )
    except msgspec.ValidationError as error:
        raise Terminal(f"Release {namespace_of(manifest)}/{name_of(manifest)}: {error}: we write these objects; delete it") from error


def parse_releases(manifests: Iterable[Manifest]) -> list[Release]:
    """The Releases among these; one that was written by hand and does not fit is left out, so that it costs only itself."""
    found = []
    for manifest in manifests:
        with suppress(Terminal):
            found.append(parse_release(manifest))
    return found


def render_release(release: Release) -> Manifest:
    """The manifest to create."""
    return {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "metadata": {
            "name": release.name,
            "namespace": release.namespace,
            "labels": {SOURCE_LABEL: release.spec.source, WORKLOAD_LABEL: release.spec.workload.name[:63].rstrip("-.")},
        },
        "spec": msgspec.to_builtins(release.spec),
    }


def status_patch(before: ReleaseStatus, after: ReleaseStatus) -> Manifest | None:
    """The merge patch from one status to the next; None when nothing changed."""
    patch = merge_patch(msgspec.to_builtins(before), msgspec.to_builtins(after))
    return {"status": patch} if patch else None
