"""What is written for one object now: as Git has it, except for a pod template that must not change yet (ADR 0013, 0014, 0018)."""

from collections.abc import Mapping

from reconciler.kernel.identity import Manifest
from reconciler.releases.gate import TemplateDecision
from reconciler.sync.diff import digest

DESIRED = "reconciler.dev/desired"
SOURCE = "reconciler.dev/source"
RELEASE = "reconciler.dev/release"


def effective(desired: Manifest, live: Manifest | None, template: TemplateDecision, marks: Mapping[str, str]) -> Manifest | None:
    """The manifest to apply with our marks on it; None when there is nothing that may be written yet.

    `marks` are annotations such as the source and the release. The digest covers all of it, so a skipped write is a proven no-op.
    """
    manifest = desired
    if template.keep:
        kept = live["spec"]["template"] if live is not None else template.instead
        if not kept:
            return None
        manifest = {**desired, "spec": {**desired["spec"], "template": kept}}
    marked = _annotate(manifest, marks)
    return _annotate(marked, {DESIRED: digest(_without_template(marked) if template.keep else marked)})


def written(effective: Manifest, live: Manifest | None) -> bool:
    """True when the live object already is what we last wanted it to be."""
    if live is None:
        return False
    return bool((live["metadata"].get("annotations") or {}).get(DESIRED) == effective["metadata"]["annotations"][DESIRED])


def _annotate(manifest: Manifest, marks: Mapping[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {**(metadata.get("annotations") or {}), **{key: value for key, value in marks.items() if value}}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _without_template(manifest: Manifest) -> Manifest:
    spec = {key: value for key, value in manifest["spec"].items() if key != "template"}
    return {**manifest, "spec": {**spec, "template": "kept"}}
