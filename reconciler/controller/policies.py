"""Which ReleasePolicy speaks for a workload: nearest wins, equals are an error that names both (DESIGN 19)."""

from reconciler.api.policy import parse_policy
from reconciler.kube.cache import Cache
from reconciler.model.errors import Terminal
from reconciler.model.identity import Manifest, Resource, name_of
from reconciler.model.policy import DEFAULT, ReleasePolicy, WorkloadName
from reconciler.model.resources import CLUSTER_RELEASE_POLICIES, RELEASE_POLICIES

RANKS: tuple[Resource, ...] = (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES)


class Policies:
    """Looks policies up in the cache: namespace object, then cluster object, then the shipped default."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def of(self, namespace: str, kind: str, name: str) -> ReleasePolicy:
        """The policy of one workload. Raises Terminal when two of equal rank claim it, or when it cannot be read."""
        return self._nearest(namespace, (WorkloadName(kind, name),))

    def judging(self, namespace: str, rollout: str, template: WorkloadName) -> ReleasePolicy:
        """The policy of a release, whether people call the workload by its Rollout or by the Deployment its template lives in."""
        return self._nearest(namespace, tuple(dict.fromkeys((WorkloadName("Rollout", rollout), template))))

    def _nearest(self, namespace: str, names: tuple[WorkloadName, ...]) -> ReleasePolicy:
        for resource in RANKS:
            place = namespace if resource.namespaced else ""
            policies = [self._parse(manifest) for manifest in self._cache.list(resource, place)]
            matching = [p for p in policies if any(p.concerns(namespace, name.kind, name.name) for name in names)]
            exact = [p for p in matching if p.workloads] or matching
            if len(exact) > 1:
                both = " and ".join(sorted(p.name for p in exact))
                raise Terminal(
                    f"{resource.kind} objects {both} both claim {names[0].kind} {namespace}/{names[0].name}: "
                    "name the workload in only one of them"
                )
            if exact:
                return exact[0]
        return DEFAULT

    def _parse(self, manifest: Manifest) -> ReleasePolicy:
        try:
            return parse_policy(manifest)
        except Terminal as error:
            raise Terminal(f"{manifest['kind']} {name_of(manifest)}: {error}") from error
