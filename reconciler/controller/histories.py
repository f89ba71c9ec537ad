"""The releases that belong together, as the informers have seen them."""

from reconciler.api.release import parse_releases
from reconciler.core.release.holds import of_workload
from reconciler.kube.cache import Cache
from reconciler.model.indexes import pull_word, workload_word
from reconciler.model.release import Release
from reconciler.model.resources import RELEASES


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
