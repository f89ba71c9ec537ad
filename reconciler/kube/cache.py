"""What the informers have seen: objects by name, namespace, owner and index words, never to be changed by a reader."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from reconciler.kernel.identity import Manifest, Resource, controller_uid, name_of, namespace_of

Place = tuple[str, str]
View = TypeVar("View")
Index = Callable[[Manifest], tuple[str, ...]]
"""The words of one object; each at most once, whatever shape a stranger gave the object."""


class Cache:
    """Objects of the watched resources. Reads of a resource that is not watched raise KeyError: a wiring bug."""

    def __init__(self, resources: Sequence[Resource], indexes: Mapping[Resource, Index]) -> None:
        self._indexes = indexes
        self._objects: dict[Resource, dict[Place, Manifest]] = {resource: {} for resource in resources}
        self._owned: dict[Resource, dict[str, dict[Place, Manifest]]] = {resource: defaultdict(dict) for resource in resources}
        self._indexed: dict[Resource, dict[str, dict[Place, Manifest]]] = {resource: defaultdict(dict) for resource in resources}
        self._placed: dict[Resource, dict[str, dict[Place, Manifest]]] = {resource: defaultdict(dict) for resource in resources}
        self._views: dict[tuple[Resource, Place], tuple[Manifest, object]] = {}
        self._listed: set[Resource] = set()
        self._changes = dict.fromkeys(self._objects, 0)

    def watches(self, resource: Resource) -> bool:
        return resource in self._objects

    def changes(self, resource: Resource) -> int:
        """A number that is another one after any object of this resource came, changed or went; 0 where it is not watched."""
        return self._changes.get(resource, 0)

    def listed(self, resource: Resource) -> bool:
        """True when all objects of this resource are known: it is watched and was listed. Until then only the server can be asked."""
        return resource in self._listed

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        return self._objects[resource].get((namespace, name))

    def list(self, resource: Resource, namespace: str = "") -> Sequence[Manifest]:
        """All objects of a namespace, without a search through the others; of every namespace when it is empty."""
        return tuple((self._placed[resource].get(namespace, {}) if namespace else self._objects[resource]).values())

    def owned(self, resource: Resource, uid: str) -> Sequence[Manifest]:
        """The objects whose controlling owner has this uid."""
        return tuple(self._owned[resource].get(uid, {}).values())

    def indexed(self, resource: Resource, word: str) -> Sequence[Manifest]:
        """The objects that are listed under a word of their resource's index; without a search through all of them."""
        return tuple(self._indexed[resource].get(word, {}).values())

    def view(self, resource: Resource, manifest: Manifest, parse: Callable[[Manifest], View]) -> View:
        """What one of the objects here says, parsed once for as long as it stays as it is; one kind of view a resource."""
        place = (namespace_of(manifest), name_of(manifest))
        known = self._views.get((resource, place))
        if known is not None and known[0] is manifest:
            return known[1]  # type: ignore[return-value]
        found = parse(manifest)
        if self._objects[resource].get(place) is manifest:
            self._views[resource, place] = (manifest, found)
        return found

    def put(self, resource: Resource, manifest: Manifest) -> None:
        """Remember a newer state of one object; an older one than we know is ignored."""
        place = (namespace_of(manifest), name_of(manifest))
        if not self.newer(resource, *place, _version(manifest)):
            self._set(resource, place, manifest)

    def remove(self, resource: Resource, last: Manifest) -> None:
        """Forget an object that was deleted, unless another one of its name was made since."""
        place = (namespace_of(last), name_of(last))
        if not self.newer(resource, *place, _version(last)):
            self.drop(resource, *place)

    def relist(self, resource: Resource, manifests: Sequence[Manifest], version: str) -> Sequence[Manifest]:
        """Become what one list said at a version (none: the type is not served); what was written after it stays.

        Answers the objects that are gone.
        """
        listed = {(namespace_of(manifest), name_of(manifest)): manifest for manifest in manifests}
        known = self._objects[resource]
        (self._listed.add if version else self._listed.discard)(resource)
        gone = [o for place, o in known.items() if place not in listed and not self.newer(resource, *place, version)]
        for manifest in gone:
            self.drop(resource, namespace_of(manifest), name_of(manifest))
        for place, manifest in listed.items():
            if not self.newer(resource, *place, version):
                self._set(resource, place, manifest)
        return gone

    def newer(self, resource: Resource, namespace: str, name: str, version: str) -> bool:
        """True when what we know of an object was written after a version.

        Versions count upwards on every server we know (the concepts page promises only equality); a wrong guess heals on relist.
        """
        known = self._objects[resource].get((namespace, name))
        ours = _version(known) if known is not None else ""
        return ours.isdigit() and version.isdigit() and int(ours) > int(version)

    def _set(self, resource: Resource, place: Place, manifest: Manifest) -> None:
        self.drop(resource, *place)
        self._objects[resource][place] = manifest
        for listed, word in self._listings(resource, manifest):
            listed[word][place] = manifest

    def drop(self, resource: Resource, namespace: str, name: str) -> None:
        """Forget one object."""
        place = (namespace, name)
        known = self._objects[resource].pop(place, None)
        self._changes[resource] += 1
        self._views.pop((resource, place), None)
        for listed, word in self._listings(resource, known) if known else ():
            listed[word].pop(place, None)
            if not listed[word]:
                del listed[word]

    def _listings(self, resource: Resource, manifest: Manifest) -> Iterable[tuple[dict[str, dict[Place, Manifest]], str]]:
        """Every list an object is in beside the one by name."""
        yield self._placed[resource], namespace_of(manifest)
        owner = controller_uid(manifest)
        if owner:
            yield self._owned[resource], owner
        for word in self._indexes[resource](manifest) if resource in self._indexes else ():
            yield self._indexed[resource], word

    def places(self, resource: Resource) -> Sequence[Place]:
        return tuple(self._objects[resource])


def _version(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))
