"""Everything that one pass over a source knows when it thinks: what Git asks for, what lives, who is in charge, what failed before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.kernel.identity import Manifest, Resource, name_of, namespace_of
from reconciler.releases.model import Release
from reconciler.rollouts.traffic.router import Routers
from reconciler.sources.inventory import Inventory, Place
from reconciler.sources.problem import Objection, RecordedProblem
from reconciler.sources.references import Named
from reconciler.sources.settings import SourceSettings
from reconciler.sources.source_port import Tip
from reconciler.sync.drift.carry import RuntimeOwned

Kind = tuple[str, str]
"""(apiVersion, kind)"""
Object = tuple[str, str]
"""(namespace, name)"""


@dataclass(frozen=True, slots=True)
class Failure:
    """What came of the last try to write one wish: `digest` names the wish, another one is tried at once."""

    digest: str
    problem: RecordedProblem
    attempts: int
    retry_at: datetime
    quiet: bool = False
    """True when it is too early to tell people: a write that lost a race goes through at the next try."""
    pause: timedelta = timedelta.max
    """How long it was to wait when it failed."""

    def waits(self, now: datetime) -> bool:
        """True while it is too early for the next try. A clock that was ahead then, and was set back since, puts nothing off."""
        return timedelta() < self.retry_at - now <= self.pause


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What decides what the template of one workload may become: its identity and images in Git, its releases, its Rollout.

    `first` is the version that has to become the baseline before anything else is let through.
    """

    identity: str
    images: Mapping[str, str] = field(default_factory=dict)
    history: tuple[Release, ...] = ()
    rollout: Manifest | None = None
    first: Release | None = None
    elsewhere: tuple[Release, ...] = ()
    """Releases of other environments whose version with these images lost its proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """One moment of one source. What a mapping does not hold is not known, or not there."""

    settings: SourceSettings
    tip: Tip
    inventory: Inventory
    confirmed: str = ""
    """The digest of the removals that a person confirmed."""
    opened_until: datetime | None = None
    """Until when a person lets it be written whatever its windows say."""
    resources: Mapping[Kind, Resource] = field(default_factory=dict)
    """The kinds that the cluster serves; their scope is the server's word."""
    live: Mapping[Place, Manifest] = field(default_factory=dict)
    unread: Mapping[tuple[str, str, str], Objection] = field(default_factory=dict)
    """(apiVersion, kind, namespace) that could not be read, and why."""
    namespaces: Mapping[str, Manifest] = field(default_factory=dict)
    rollouts: Mapping[Object, Manifest] = field(default_factory=dict)
    autoscalers: Mapping[str, tuple[Manifest, ...]] = field(default_factory=dict)
    """By namespace; only where somebody asked."""
    adopting: Mapping[Object, Manifest | Objection] = field(default_factory=dict)
    """Deployments that a policy has released by a Rollout of ours: its spec, or why nobody can tell."""
    gates: Mapping[Named, GateFacts] = field(default_factory=dict)
    failures: Mapping[Place, Failure] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()
    unopened: str = ""
    """Why releases could not be opened: until they are, no template changes."""
    routers: Routers = field(default_factory=dict)
    """They say which fields of routed objects are theirs."""
    owned: RuntimeOwned = field(default_factory=RuntimeOwned)
    """Who is in charge of what while it runs; thought out once a plan."""
    used: frozenset[Named] = frozenset()
    """ConfigMaps and Secrets that a ReplicaSet refers to."""


def place_of(manifest: Manifest) -> Place:
    """How an inventory names an object."""
    return (str(manifest["apiVersion"]), str(manifest["kind"]), namespace_of(manifest), name_of(manifest))


def located_in(manifest: Manifest, resource: Resource | None) -> Manifest:
    """The manifest without a namespace where the server says that its kind has none."""
    if resource is None or resource.namespaced or not namespace_of(manifest):
        return manifest
    return {**manifest, "metadata": {key: value for key, value in manifest["metadata"].items() if key != "namespace"}}
