"""The releases that belong together, as the informers have seen them."""

from reconciler.kernel.resources import RELEASES
from reconciler.kube.cache import Cache
from reconciler.releases.holds import of_workload
from reconciler.releases.indexes import pull_word, workload_word
from reconciler.releases.manifest import parse_releases
from reconciler.releases.model import Release


def history(cache: Cache, namespace: str, name: str) -> list[Release]:
    """The releases of one Rollout, oldest first."""
    return of_workload(parse_releases(cache.indexed(RELEASES, workload_word(namespace, name))), (namespace, "Rollout", name))


def siblings(cache: Cache, release: Release) -> tuple[Release, ...]:
    """All releases of the same pull request and environment, which share one comment; the release alone without a pull request."""
    spec = release.spec
    if spec.pull is None:
        return (release,)
    same = parse_releases(cache.indexed(RELEASES, pull_word(spec.source, spec.environment, spec.pull.number)))
    return tuple(sorted(same, key=lambda one: one.name))
