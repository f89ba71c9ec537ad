"""A two-way merge patch: what must be said to turn one JSON object into another (RFC 7386)."""

from reconciler.kernel.identity import Manifest


def merge_patch(old: Manifest, new: Manifest) -> Manifest:
    """The patch from old to new: changed members as they are now, gone members as null, lists whole. Empty when equal as JSON.

    In JSON an enumeration's member is its text, and only `true` and `1` are two things that Python calls equal.
    """
    patch: Manifest = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if key in old and _same(before, value):
            continue
        patch[key] = _member(before, value)
    return patch


def _same(before: object, value: object) -> bool:
    """Equal as JSON, at every depth: `0` and `false` are not."""
    if before != value:
        return False
    if isinstance(before, dict) and isinstance(value, dict):
        return all(_same(member, value[key]) for key, member in before.items())
    if isinstance(before, list | tuple) and isinstance(value, list | tuple):
        return all(map(_same, before, value))
    return isinstance(before, bool) is isinstance(value, bool)


def _member(before: object, value: object) -> object:
    if isinstance(before, dict) and isinstance(value, dict):
        return merge_patch(before, value)
    return value
