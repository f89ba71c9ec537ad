"""What the readings of one moment say, parsed: releases by workload, inventories, freezes, and the troubles in words."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.app.console.reading import ListQuestion, ListReading, TroubleKind
from reconciler.kernel.errors import Terminal
from reconciler.kernel.frozen import Frozen, frozen_in
from reconciler.kernel.identity import Manifest, Resource, annotations_of, labels_of, name_of, namespace_of, uid_of
from reconciler.kernel.resources import CONFIGMAPS, NAMESPACES, RELEASES, ROLLOUTS
from reconciler.releases.manifest import parse_release
from reconciler.releases.model import Release
from reconciler.sources.inventory import Inventory, config_map_name, parse_inventory, workload_key
from reconciler.sync.drift.effective import SOURCE
from reconciler.views.console import WatchedWorkload, workloads_of

PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class PageNotice:
    """One thing that a page has to say about what it shows; `grave`: what it shows may be wrong by now."""

    text: str
    remedy: str = ""
    grave: bool = False


class ReleaseShelf:
    """Releases parsed once for as long as they stay as they are; those that do not fit are named."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[str, str, str], tuple[str, Release | str]] = {}

    def parse(self, manifests: Iterable[Manifest]) -> tuple[list[Release], list[str]]:
        """The releases, oldest first, and what is wrong with the others."""
        before = self._parsed
        parsed: dict[tuple[str, str, str], tuple[str, Release | str]] = {}
        for manifest in manifests:
            key = (namespace_of(manifest), name_of(manifest), uid_of(manifest))
            version = str(manifest["metadata"].get("resourceVersion", ""))
            known = before.get(key)
            parsed[key] = known if known is not None and version and known[0] == version else (version, _parsed(manifest))
        self._parsed = parsed  # whole, and never changed again: pages are made beside each other
        found = [one for _, one in parsed.values()]
        releases = sorted((one for one in found if isinstance(one, Release)), key=lambda release: release.age)
        return releases, [one for one in found if isinstance(one, str)]


def _parsed(manifest: Manifest) -> Release | str:
    try:
        return parse_release(manifest)
    except Terminal as error:
        return str(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """Everything that most pages speak of."""

    rollouts: Mapping[tuple[str, str], Manifest]
    """By namespace and name."""
    releases: Sequence[Release]
    """Oldest first."""
    of_workloads: Mapping[tuple[str, str], list[Release]]
    """The releases of each Rollout, oldest first."""
    workloads: Sequence[WatchedWorkload]
    """In motion first; the one thing that would cost each look at the first page much."""
    unreadable: Sequence[str]
    inventories: Mapping[str, tuple[str, Inventory]]
    """By source: the namespace it is kept in, and what it says."""
    frozen: tuple[Frozen, ...]
    readings: tuple[ListReading, ...]

    def within(self, namespaces: frozenset[str]) -> "ClusterState":
        """What of it is in these namespaces; what cannot be told apart by namespace is left out."""
        return replace(
            self,
            rollouts={place: one for place, one in self.rollouts.items() if place[0] in namespaces},
            of_workloads={place: known for place, known in self.of_workloads.items() if place[0] in namespaces},
            releases=[one for one in self.releases if one.namespace in namespaces],
            workloads=[one for one in self.workloads if one.namespace in namespaces],
            unreadable=(),
        )

    def asked_of(self, namespace: str, name: str) -> str:
        """The identity that Git asks for of a Rollout, as its source or its newest release has it; empty if no source applies it."""
        rollout = self.rollouts.get((namespace, name))
        source = annotations_of(rollout).get(SOURCE, "") if rollout is not None else ""
        _, inventory = self.inventories.get(source, ("", Inventory()))
        releases = self.of_workloads.get((namespace, name), [])
        asked = inventory.workloads.get(workload_key(namespace, "Rollout", name), "")
        return (asked or (releases[-1].spec.identity if releases else "")) if source else ""

    def problems_of(self, rollout: Manifest | None) -> tuple[str, ...]:
        """What is wrong with the source that applies a Rollout."""
        source = annotations_of(rollout).get(SOURCE, "") if rollout is not None else ""
        _, inventory = self.inventories.get(source, ("", Inventory()))
        return tuple(f"source {source}: {problem}" for problem in inventory.problems[:PROBLEMS_SHOWN])


def shared_questions(namespace: str) -> tuple[ListQuestion, ...]:
    """What nearly every page asks."""
    return (
        ListQuestion(ROLLOUTS, namespace),
        ListQuestion(RELEASES, namespace),
        ListQuestion(CONFIGMAPS, labels=SOURCE),
        ListQuestion(NAMESPACES),
    )


def narrower(question: ListQuestion, own: str) -> ListQuestion | None:
    """What to ask where the whole may not be read: the daemon's own namespace, where people usually may look."""
    if question == ListQuestion(CONFIGMAPS, labels=SOURCE):
        return ListQuestion(CONFIGMAPS, own, labels=SOURCE)
    return ListQuestion(NAMESPACES, name=own) if question == ListQuestion(NAMESPACES) else None


class KnownStates:
    """The readings of the common questions, parsed once for as long as their items stay the same."""

    def __init__(self) -> None:
        self._shelf = ReleaseShelf()
        self._items: tuple[Sequence[Manifest], ...] = ()
        self._known: ClusterState | None = None

    async def of(self, readings: Sequence[ListReading]) -> ClusterState:
        """What they say, with how old it is and what is wrong with it."""
        items, known = tuple(reading.items for reading in readings), self._known
        if known is None or len(items) != len(self._items) or any(one is not other for one, other in zip(items, self._items, strict=True)):
            known = await asyncio.to_thread(_known_of, readings, self._shelf)
            self._items, self._known = items, known
        return replace(known, readings=tuple(readings))


def _known_of(readings: Sequence[ListReading], shelf: ReleaseShelf) -> ClusterState:
    by_resource = {reading.question.resource: reading.items for reading in readings}
    releases, unreadable = shelf.parse(by_resource.get(RELEASES, ()))
    of_workloads: defaultdict[tuple[str, str], list[Release]] = defaultdict(list)
    for release in releases:
        if release.spec.workload.kind == "Rollout":
            of_workloads[release.namespace, release.spec.workload.name].append(release)
    rollouts = by_resource.get(ROLLOUTS, ())
    return ClusterState(
        rollouts={(namespace_of(one), name_of(one)): one for one in rollouts},
        releases=releases,
        of_workloads=dict(of_workloads),
        workloads=workloads_of(rollouts, {place: known[-1] for place, known in of_workloads.items()}),
        unreadable=unreadable,
        inventories=_inventories(by_resource.get(CONFIGMAPS, ())),
        frozen=tuple(part for namespace in by_resource.get(NAMESPACES, ()) for part in frozen_in(namespace)),
        readings=tuple(readings),
    )


def _inventories(kept: Iterable[Manifest]) -> dict[str, tuple[str, Inventory]]:
    named = [(labels_of(manifest).get(SOURCE, ""), manifest) for manifest in kept]
    return {
        source: (namespace_of(manifest), parse_inventory(manifest))
        for source, manifest in named
        if name_of(manifest) == config_map_name(source)
    }


def notices_of(readings: Iterable[ListReading], flags: str) -> tuple[PageNotice, ...]:
    """What is wrong with what is shown: the server away, a right missing, a kind not served."""
    found = [_notice(reading, flags) for reading in readings if reading.trouble is not None]
    return tuple(dict.fromkeys(notice for notice in found if notice is not None))


def _notice(reading: ListReading, flags: str) -> PageNotice | None:
    trouble, question = reading.trouble, reading.question
    assert trouble is not None, "the caller looked"
    named = plural_of(question.resource)
    match trouble.kind:
        case TroubleKind.AWAY:
            return PageNotice(f"The API server does not answer: {trouble.words}", "the page asks again each time it is loaded", True)
        case TroubleKind.FORBIDDEN:
            return _forbidden(question, named, flags)
        case TroubleKind.NOT_SERVED:
            remedy = "apply the definitions in deploy/ if you want them"
            return PageNotice(f"The cluster does not serve {named}", remedy) if question.resource in (ROLLOUTS, RELEASES) else None
        case TroubleKind.REFUSED:
            return PageNotice(f"The API server refuses the list of {named}: {trouble.words}")


def _forbidden(question: ListQuestion, named: str, flags: str) -> PageNotice:
    scope = f" in namespace {question.namespace}" if question.namespace else " in all namespaces" if question.resource.namespaced else ""
    flag = f" -n {question.namespace}" if question.namespace else " -A" if question.resource.namespaced else ""
    hint = f"ask for that right (kubectl auth can-i list {named}{flag}{flags})"
    other = ", or show one namespace with -n" if flag == " -A" else ""
    return PageNotice(f"You may not list {named}{scope}: the rest is shown without them", hint + other)


def plural_of(resource: Resource) -> str:
    """The resource as kubectl takes it: `releases.reconciler.dev`."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def read_at(readings: Iterable[ListReading]) -> datetime | None:
    """As of when all of it is shown: the time of the oldest answer."""
    return min((reading.at for reading in readings if reading.at is not None), default=None)
