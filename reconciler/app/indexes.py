"""The indexes of the cache: who reads by a word and who keeps the lists agree through their noun's `indexes`."""

from collections.abc import Mapping

from reconciler.kernel.identity import Resource
from reconciler.kernel.resources import RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.cache import Index
from reconciler.releases.indexes import release_words
from reconciler.rollouts.indexes import orphan_words, rollout_words

INDEXES: Mapping[Resource, Index] = {RELEASES: release_words, REPLICA_SETS: orphan_words, ROLLOUTS: rollout_words}
