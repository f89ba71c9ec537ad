"""The mark on an object that holds something of a Rollout: whose it is, and what its router needs to take it out again.

A mark is written together with what it marks and goes together with it, so an object at rest carries none.
"""

import json

import orjson

from reconciler.kernel.identity import Manifest, annotations_of, controller_of, namespace_of
from reconciler.kernel.resources import ROLLOUTS
from reconciler.kernel.well_known import MANAGED_BY, TRAFFIC_MARK
from reconciler.rollouts.traffic.router import Owner


def owners(manifest: Manifest) -> tuple[Owner, ...]:
    """The Rollouts that an object holds something of, by our mark, by the reference's annotation, or because one controls it."""
    marked = [Owner(*key.partition("/")[::2]) for key in _marks(manifest) if "/" in key]
    managed = annotations_of(manifest).get(MANAGED_BY)
    beside = [Owner(namespace_of(manifest), managed)] if managed else []
    controller = controlling(manifest)
    return tuple(dict.fromkeys((*marked, *beside, *((controller,) if controller else ()))))


def controlling(manifest: Manifest) -> Owner | None:
    """The Rollout that controls an object."""
    controller = controller_of(manifest) or {}
    group = str(controller.get("apiVersion")).rpartition("/")[0]
    ours = (group, controller.get("kind")) == (ROLLOUTS.group, ROLLOUTS.kind)
    return Owner(namespace_of(manifest), str(controller.get("name"))) if ours else None


def mark_of(manifest: Manifest, owner: Owner) -> Manifest | None:
    """What is on record for this Rollout; None when nothing is."""
    found = _marks(manifest).get(str(owner))
    return found if isinstance(found, dict) else None


def with_mark(manifest: Manifest, owner: Owner, mark: Manifest | None) -> Manifest:
    """The object with this mark of the Rollout, or without one; the same object when it is so already."""
    before = _marks(manifest)
    others = {key: value for key, value in before.items() if key != str(owner)}
    after = others if mark is None else {**others, str(owner): mark}
    if after == before and (after or TRAFFIC_MARK not in annotations_of(manifest)):
        return manifest
    return _annotated(manifest, json.dumps(after, sort_keys=True, separators=(",", ":")) if after else None)


def carried(desired: Manifest, live: Manifest) -> Manifest:
    """The desired object with the mark of the live one."""
    text = annotations_of(live).get(TRAFFIC_MARK)
    return desired if annotations_of(desired).get(TRAFFIC_MARK) == text else _annotated(desired, text)


def _annotated(manifest: Manifest, text: str | None) -> Manifest:
    notes = {key: value for key, value in annotations_of(manifest).items() if key != TRAFFIC_MARK}
    if text is not None:
        notes[TRAFFIC_MARK] = text
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "annotations"}
    return {**manifest, "metadata": {**metadata, "annotations": notes} if notes else metadata}


def _marks(manifest: Manifest) -> Manifest:
    """What cannot be read was not written by us."""
    text = annotations_of(manifest).get(TRAFFIC_MARK)
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
