"""The releases that belong together, as the informers have seen them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import RELEASES
from reconciler.kube.cache import Cache
from reconciler.releases.holds import of_workload
from reconciler.releases.indexes import lost_word, pull_word, workload_word
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release


def history(cache: Cache, namespace: str, name: str) -> list[Release]:
    """The releases of one Rollout, oldest first."""
    return of_workload(_releases(cache, workload_word(namespace, name)), (namespace, "Rollout", name))


def lost_elsewhere(cache: Cache, key: tuple[str, str, str], images: Mapping[str, str], known: Sequence[Release]) -> list[Release]:
    """Releases of a workload of the same name in another environment whose version has these images and lost its proof.

    None where these images have served already: what is taken from users for a number that was measured elsewhere is a person's decision.
    """
    namespace, _, name = key
    if any(one.spec.images == images and (one.served or one.proven) for one in known):
        return []
    places = {(one.namespace, one.spec.environment) for one in known}
    found = (one for one in _releases(cache, lost_word(name, images)) if one.namespace != namespace)
    return [one for one in found if (one.namespace, one.spec.environment) not in places]


def siblings(cache: Cache, release: Release) -> tuple[Release, ...]:
    """All releases of the same pull request and environment, which share one comment; without one the attempts of the same commit."""
    spec, pull = release.spec, release.pull
    if pull is None:
        own = history(cache, release.namespace, spec.workload.name)
        same: Iterable[Release] = (one for one in own if one.pull is None and one.spec.commit.sha == spec.commit.sha)
    else:
        same = _releases(cache, pull_word(spec.source, spec.environment, pull.number))
    others = (one for one in same if one.name != release.name or one.namespace != release.namespace)
    return tuple(sorted((*others, release), key=lambda one: one.name))


def _releases(cache: Cache, word: str) -> Iterator[Release]:
    """A release is asked for by every pass over its source and parsed once a state."""
    for manifest in cache.indexed(RELEASES, word):
        yield from cache.view(RELEASES, manifest, _parsed)


def _parsed(manifest: Manifest) -> list[Release]:
    return parse_releases([manifest])
