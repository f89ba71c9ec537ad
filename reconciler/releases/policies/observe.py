"""Which ReleasePolicy speaks for a workload: nearest wins, equals are an error that names both (ADR 0027)."""

from collections.abc import Iterator

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest, Resource, name_of
from reconciler.kernel.resources import CLUSTER_RELEASE_POLICIES, RELEASE_POLICIES
from reconciler.kube.cache import Cache
from reconciler.releases.policies.choice import choose
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.policy import ReleasePolicy, WorkloadName

LOCAL = (("local ReleasePolicy", True), ("local ClusterReleasePolicy", False))
RANKS: tuple[Resource, ...] = (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES)


class LocalPolicies:
    """Policies from files beside the daemon, as last understood; `unread` says why some have never been."""

    def __init__(self) -> None:
        self.policies: tuple[ReleasePolicy, ...] = ()
        self.unread: tuple[str, ...] = ()


class Policies:
    """Looks policies up: namespace object, cluster object, local file for a namespace, local file for all, the shipped default."""

    def __init__(self, cache: Cache, local: LocalPolicies) -> None:
        self._cache = cache
        self._local = local

    def of(self, namespace: str, kind: str, name: str) -> ReleasePolicy:
        """The policy of one workload. Raises Terminal when two of equal rank claim it, or when it cannot be read."""
        return self._nearest(namespace, (WorkloadName(kind, name),))

    @property
    def beside(self) -> tuple[object, ...]:
        """What the files beside the daemon say now: two answers are equal while they say the same."""
        return self._local.policies, self._local.unread

    def judging(self, namespace: str, rollout: str, template: WorkloadName) -> ReleasePolicy:
        """The policy of a release, whether people call the workload by its Rollout or by the Deployment its template lives in."""
        return self._nearest(namespace, tuple(dict.fromkeys((WorkloadName("Rollout", rollout), template))))

    def _nearest(self, namespace: str, names: tuple[WorkloadName, ...]) -> ReleasePolicy:
        return choose(self._ranks(namespace), namespace, names).policy

    def _ranks(self, namespace: str) -> Iterator[tuple[str, list[ReleasePolicy]]]:
        """Kind and policies, nearest first. What a file says that has never been read is not guessed at."""
        for resource in RANKS:
            place = namespace if resource.namespaced else ""
            yield resource.kind, [self._parse(manifest) for manifest in self._cache.list(resource, place)]
        if self._local.unread:
            raise Terminal(f"local policies cannot be read: {'; '.join(self._local.unread)}")
        for kind, namespaced in LOCAL:
            yield kind, [policy for policy in self._local.policies if bool(policy.namespace) is namespaced]

    def _parse(self, manifest: Manifest) -> ReleasePolicy:
        try:
            return parse_policy(manifest)
        except Terminal as error:
            raise Terminal(f"{manifest['kind']} {name_of(manifest)}: {error}") from error
