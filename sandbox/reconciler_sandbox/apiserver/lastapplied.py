"""From client-side to server-side apply: kubectl may take over, without a conflict, what its own annotation says it applied.

Only kubectl itself: whoever applies under another name meets the conflict.
"""

from typing import Any

import orjson

from reconciler_sandbox.apiserver.applying import Steps, at, fields_of, owned_part
from reconciler_sandbox.apiserver.ownership import leaves
from reconciler_sandbox.apiserver.shapes import Shape

Manifest = dict[str, Any]
KUBECTL = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def ceded(live: Manifest, shape: Shape) -> frozenset[Steps]:
    """The places that the annotation names and that still hold what it says; none if there is no such annotation."""
    written = _annotation(live)
    try:
        applied = orjson.loads(written or "null")
    except orjson.JSONDecodeError:
        return frozenset()
    if not isinstance(applied, dict):
        return frozenset()
    before, now = owned_part(applied), owned_part(live)
    return frozenset(steps for steps in leaves(fields_of(before, shape)) if at(before, steps, shape) == at(now, steps, shape))


def brought_up_to_date(manifest: Manifest, config: Manifest) -> Manifest:
    """The object with the annotation telling the new configuration, if it has one: both ways of applying can go on."""
    if _annotation(manifest) is None:
        return manifest
    fields = manifest["metadata"]
    told = orjson.dumps({name: value for name, value in config.items() if name != "status"}).decode() + "\n"
    return {**manifest, "metadata": {**fields, "annotations": {**fields["annotations"], ANNOTATION: told}}}


def _annotation(manifest: Manifest) -> str | None:
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return annotations.get(ANNOTATION)
