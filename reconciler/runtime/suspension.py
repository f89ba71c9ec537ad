"""What a person asked us to leave alone, by annotation on an object or its Namespace; said once each time it begins (ADR 0021)."""

import structlog

from reconciler.kernel.identity import Manifest, ObjectRef, Resource, name_of, namespace_of
from reconciler.kernel.plan import Emit, Plan
from reconciler.kernel.resources import NAMESPACES
from reconciler.kernel.well_known import SUSPEND, suspended
from reconciler.kube.cache import Cache
from reconciler.runtime.apply import Apply

log = structlog.get_logger()


class Suspension:
    """Asked before a pass writes. Namespaces are watched, so asking costs nothing."""

    def __init__(self, cache: Cache, apply: Apply) -> None:
        self._cache = cache
        self._apply = apply
        self._told: set[ObjectRef] = set()

    def of(self, manifest: Manifest) -> str:
        """Where the annotation stands, in words; empty when nothing is suspended."""
        if suspended(manifest):
            return f"{SUSPEND} on {manifest.get('kind', 'the object')} {namespace_of(manifest)}/{name_of(manifest)}"
        return self.of_namespace(namespace_of(manifest))

    def of_namespace(self, name: str) -> str:
        """The same for a whole namespace."""
        namespace = self._cache.get(NAMESPACES, "", name)
        return f"{SUSPEND} on Namespace {name}" if namespace is not None and suspended(namespace) else ""

    async def holds(self, resource: Resource, manifest: Manifest) -> bool:
        """True when the object is to be left alone now; the first time, an event says so."""
        place = ObjectRef(resource, namespace_of(manifest), name_of(manifest))
        reason = self.of(manifest)
        if not reason:
            self._told.discard(place)
            return False
        if place not in self._told:
            self._told.add(place)
            log.warning("suspended: nothing is written", object=str(place), reason=reason)
            await self._apply(Plan((Emit(manifest, "Suspended", f"suspended by {reason}: nothing is written until it is removed"),)))
        return True
