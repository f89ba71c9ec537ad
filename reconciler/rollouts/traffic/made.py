"""Objects that a router makes itself: created owned by the Rollout, known again as its own, and removed. Others are never touched.

A mark on it tells its own name (see `marks.py`), so that one whose owner was taken off it (`kubectl delete --cascade=orphan`) is still
known, and a copy under another name is not.
"""

from collections.abc import Callable

from reconciler.kernel.identity import Manifest, ObjectRef, controller_uid, name_of, uid_of
from reconciler.kernel.plan import Remove
from reconciler.rollouts.replicas.template import owner_reference
from reconciler.rollouts.traffic.marks import controlling, mark_of, with_mark
from reconciler.rollouts.traffic.router import Live, Owner, Services

NAME = "made"


def made(manifest: Manifest, services: Services, mark: Manifest) -> Manifest:
    """The object as the Rollout's own, with a mark of what it holds."""
    before = manifest["metadata"].get("ownerReferences") or []
    ours = owner_reference({"metadata": {"name": services.rollout, "uid": services.uid}})
    references = before if controller_uid(manifest) == services.uid else [*before, ours]
    owned = {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": references}}
    return with_mark(owned, services.owner, {**mark, NAME: name_of(manifest)})


def is_ours(found: Manifest, services: Services) -> bool:
    """True for an object that this very Rollout controls, or that was made for one of its name and has lost its controller."""
    controller = controller_uid(found)
    return controller == services.uid if controller else _is_marked(found, services.owner)


def not_ours(ref: ObjectRef, services: Services) -> str:
    """What to say of an object that has the name of one to make, and another owner."""
    kind, rollout = ref.resource.kind, services.rollout
    return f"{kind} `{ref.name}` exists and is not controlled by Rollout `{rollout}`: remove it, or rename the Rollout or what it names"


def was_made(found: Manifest, owner: Owner) -> bool:
    """True for an object that was made for a Rollout of this name, and that has no other controller."""
    return _is_marked(found, owner) and (controller_uid(found) is None or controlling(found) == owner)


def removals(live: Live, goes: Callable[[Manifest], bool]) -> tuple[Remove, ...]:
    """The end of those of these objects that go, and are not on their way out already; only of the very objects that were looked at."""
    staying = ((ref, found) for ref, found in live.items() if found is not None and not found["metadata"].get("deletionTimestamp"))
    return tuple(Remove(ref, uid_of(found)) for ref, found in staying if goes(found))


def _is_marked(found: Manifest, owner: Owner) -> bool:
    return (mark_of(found, owner) or {}).get(NAME) == name_of(found)
