"""A source with a ServiceAccount of its own: its objects are read and written in that account's name, everything else in the daemon's."""

from dataclasses import dataclass

from reconciler.kube.impersonation import service_account_user
from reconciler.releases.opening.apply_opener import ReleaseOpener
from reconciler.releases.policies.observe import Policies
from reconciler.runtime.access import ClusterAccess
from reconciler.sync.apply import SourceApply
from reconciler.sync.observe import Observation


@dataclass(frozen=True, slots=True)
class SourceHands:
    """What reads and what writes the objects of a source."""

    observation: Observation
    source_apply: SourceApply


def source_hands(access: ClusterAccess, policies: Policies, opener: ReleaseOpener, account: str = "") -> SourceHands:
    """The daemon's own hands, or those of a ServiceAccount (`namespace/name`): the inventory, releases and events stay the daemon's."""
    client = access.client.acting_as(service_account_user(account)) if account else access.client
    observation = Observation(client, access.cache, policies, opener)
    return SourceHands(observation, SourceApply(client, access.apply.through(client), access.clock))
