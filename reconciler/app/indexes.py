"""The indexes of the cache: who reads by a word and who keeps the lists agree through their noun's `indexes`."""

from collections.abc import Mapping
from functools import partial

from reconciler.app.router_plugins import installed
from reconciler.kernel.identity import Manifest, Resource
from reconciler.kernel.resources import ANALYSIS_RUNS, EXPERIMENTS, RELEASES, REPLICA_SETS, ROLLOUTS, SERVICES
from reconciler.kube.cache import Index
from reconciler.releases.indexes import release_words
from reconciler.rollouts.indexes import orphan_words, rollout_words, route_object_words, routed_words, run_words, service_words
from reconciler.rollouts.traffic.router import Routers, kinds_of


def indexes(routers: Routers) -> Mapping[Resource, Index]:
    """The indexes of a daemon that serves these routers."""

    def words(rollout: Manifest) -> tuple[str, ...]:
        return (*rollout_words(rollout), *routed_words(routers, rollout))

    known: dict[Resource, Index] = {
        RELEASES: release_words,
        REPLICA_SETS: orphan_words,
        ROLLOUTS: words,
        SERVICES: service_words,
        ANALYSIS_RUNS: run_words,
        EXPERIMENTS: run_words,
    }
    return {**known, **{kind: partial(route_object_words, routers, kind) for kind in kinds_of(routers)}}


INDEXES: Mapping[Resource, Index] = indexes(installed())
