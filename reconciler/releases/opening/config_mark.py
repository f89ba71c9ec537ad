"""What we add to a pod template, and nothing else: the mark by which a change of config alone makes new pods (ADR 0039). Pure.

The mark names the release that brought the config and holds nothing of the content: it tells a reader of pods nothing of a Secret.
Everything that compares a template of Git with a live one does it through these functions, so that the mark is no change of its own.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kernel.identity import Manifest, name_of
from reconciler.releases.model import Content, Release
from reconciler.rollouts.replicas.template import semantically_equal

CONFIG = "reconciler.dev/config"
GENERATED = re.compile(r"-[2456789bcdfghkmt]{10}$")
"""The end of a name that kustomize makes from the content: it changes the template by itself."""


def mark_of(template: Mapping[str, Any] | None) -> str:
    """The mark that a template bears; empty where it bears none."""
    return str(_annotations(template or {}).get(CONFIG) or "")


def marked(template: Mapping[str, Any], mark: str) -> Manifest:
    """The template as it is applied. Without a mark: as Git has it."""
    if not mark:
        return dict(template)
    metadata = template.get("metadata") if isinstance(template.get("metadata"), Mapping) else {}
    return {**template, "metadata": {**(metadata or {}), "annotations": {**_annotations(template), CONFIG: mark}}}


def unmarked(template: Mapping[str, Any]) -> Manifest:
    """The template without the mark: as Git asked for it."""
    annotations = _annotations(template)
    if CONFIG not in annotations:
        return dict(template)
    kept = {key: value for key, value in annotations.items() if key != CONFIG}
    metadata = {key: value for key, value in template["metadata"].items() if key != "annotations"}
    return {**template, "metadata": {**metadata, "annotations": kept} if kept else metadata}


def means_version(release: Release, live: Mapping[str, Any]) -> bool:
    """True when a live template means what a release asks for. In companion mode no mark is added: one that is left says nothing."""
    asked = release.spec.content.template
    if not release.spec.companion:
        return semantically_equal(marked(asked, release.spec.config_mark), dict(live))
    return semantically_equal(asked, dict(live) if mark_of(asked) else unmarked(live))


def next_mark(asked: Content, identity: str, history: Sequence[Release], good: Release | None, own: str) -> str:
    """The mark of a release that opens now; `own` is the one that nothing else bears, `good` what serves.

    It stays what it is while the config does, so that nothing rolls because of us. The same version asked for again bears the same mark
    again: it is the same ReplicaSet.
    """
    if good is None:
        return ""
    before = good.spec.config_mark
    whole = not asked.cut and not good.spec.content.cut
    if whole and asked.template != good.spec.content.template and _config(asked) == _config(good.spec.content):
        return before
    same = [r.spec.config_mark for r in history if r.spec.identity == identity]
    return next((mark for mark in reversed(same) if mark != before), own)


def _config(content: Content) -> Any:
    """What has to be told apart by a mark: config whose name stays when its content changes."""
    kept = {name_of(one): one for one in content.config if not GENERATED.search(name_of(one))}
    secrets = {name: digest for name, digest in content.secrets.items() if not GENERATED.search(name)}
    return kept, secrets


def _annotations(template: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = template.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return annotations if isinstance(annotations, Mapping) else {}
