"""What is written for one object now: as Git has it, except for a pod template that must not change yet (ADR 0013, 0014, 0018)."""

import base64
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.releases.opening.config_mark import marked
from reconciler.releases.opening.gate import TemplateDecision
from reconciler.sources.images import template_of, template_path
from reconciler.sources.kinds import kind_key
from reconciler.sync.drift.diff import digest

DESIRED = "reconciler.dev/desired"
SOURCE = "reconciler.dev/source"
RELEASE = "reconciler.dev/release"
KEPT = ("finalizers", "ownerReferences")
WRITABLE = ("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences")


def effective(desired: Manifest, live: Manifest | None, template: TemplateDecision, marks: Mapping[str, str]) -> Manifest | None:
    """The manifest to apply with our marks on it; None when there is nothing that may be written yet.

    `marks` are annotations such as the source and the release. The digest covers all of it, so a skipped write is a proven no-op.
    """
    path = template_path(str(desired["kind"])) or ("spec", "template")
    manifest = _with_config_mark(desired, template.config_mark)
    anew = template.anew and live is not None
    if template.keep:
        kept = _at(live, path) if live is not None and not anew else template.instead
        if not kept:
            return None
        manifest = _put(desired, path, kept)
    if template.keep_steps and live is not None and kind_key(desired) == "Rollout":
        manifest = _with_steps_of(live, manifest)
    marked = _annotate(manifest, marks)
    return _annotate(marked, {DESIRED: digest(_put(marked, path, "kept") if template.keep and not anew else marked)})


def _with_config_mark(desired: Manifest, mark: str | None) -> Manifest:
    """The manifest with what a release adds to its pod template, where it has one."""
    path = template_path(str(desired["kind"]))
    if not mark or path is None or template_of(desired) is None:
        return desired
    return _put(desired, path, marked(_at(desired, path), mark))


def _with_steps_of(live: Manifest, manifest: Manifest) -> Manifest:
    """The Rollout with the steps that the live one has, or has not."""
    canary = (manifest["spec"].get("strategy") or {}).get("canary")
    steps = (((live.get("spec") or {}).get("strategy") or {}).get("canary") or {}).get("steps")
    if not isinstance(canary, dict) or canary.get("steps") == steps:
        return manifest
    others = {key: value for key, value in canary.items() if key != "steps"}
    return _put(manifest, ("spec", "strategy", "canary"), others if steps is None else {**others, "steps": steps})


def as_stored(manifest: Manifest) -> Manifest:
    """The manifest as the server keeps it: `stringData` is part of a Secret's `data`, so a key that leaves Git leaves the Secret."""
    texts = manifest.get("stringData")
    if kind_key(manifest) != "Secret" or not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        return manifest
    folded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    return {**{key: value for key, value in manifest.items() if key != "stringData"}, "data": {**(manifest.get("data") or {}), **folded}}


def body_of(manifest: Manifest, live: Manifest | None, *, whole: bool = False) -> Manifest:
    """What is sent: everything that people may set, and the version of the live object that it was derived from.

    An object that is written `whole` keeps its owners, and what has to be done before it may go.
    """
    metadata = {key: value for key, value in manifest["metadata"].items() if key in WRITABLE}
    if live is not None:
        metadata = {**({key: live["metadata"][key] for key in KEPT if key in live["metadata"]} if whole else {}), **metadata}
        metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": metadata}


def written(effective: Manifest, live: Manifest | None) -> bool:
    """True when the live object already is what we last wanted it to be."""
    if live is None:
        return False
    return bool((live["metadata"].get("annotations") or {}).get(DESIRED) == effective["metadata"]["annotations"][DESIRED])


def _annotate(manifest: Manifest, marks: Mapping[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {**(metadata.get("annotations") or {}), **{key: value for key, value in marks.items() if value}}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _at(manifest: Any, path: Sequence[str | int]) -> Any:
    """The value at a path of keys."""
    return reduce(getitem, path, manifest)


def _put(manifest: Manifest, path: Sequence[str | int], value: Any) -> Manifest:
    """The manifest with another value at a path of keys."""
    if not path:
        return value  # type: ignore[no-any-return]
    return {**manifest, str(path[0]): _put(manifest[str(path[0])], path[1:], value)}
