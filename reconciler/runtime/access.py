"""How every controller reaches the cluster: the same client, cache and clock, one hand that writes, one ear for a person's brake."""

from dataclasses import dataclass

from reconciler.kernel.clock import Clock
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.runtime.apply import Apply
from reconciler.runtime.journal import Journal
from reconciler.runtime.recorder import Recorder
from reconciler.runtime.suspension import Suspension


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """What the controllers of one daemon share.

    `client` asks what no informer holds, `cache` is what the informers saw, `clock` says when; `apply` writes, and `suspension`
    says what is to be left alone, once for all of them. `journal` hears what was decided.
    """

    client: Client
    cache: Cache
    clock: Clock
    apply: Apply
    suspension: Suspension
    journal: Journal


def cluster_access(client: Client, cache: Cache, clock: Clock, recorder: Recorder, journal: Journal) -> ClusterAccess:
    """Access over one cache: what one controller wrote or said, the others know."""
    apply = Apply(client, cache, recorder)
    return ClusterAccess(client, cache, clock, apply, Suspension(cache, apply), journal)
