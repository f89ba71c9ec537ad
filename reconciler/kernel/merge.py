"""A two-way merge patch: what must be said to turn one JSON object into another (RFC 7386)."""

from reconciler.kernel.identity import Manifest


def merge_patch(old: Manifest, new: Manifest) -> Manifest:
    """The patch from old to new: changed members as they are now, gone members as null, lists whole. Empty when equal."""
    patch: Manifest = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if key in old and before == value and type(before) is type(value):
            continue
        patch[key] = _member(before, value)
    return patch


def _member(before: object, value: object) -> object:
    if isinstance(before, dict) and isinstance(value, dict):
        return merge_patch(before, value)
    return value
