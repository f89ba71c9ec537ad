"""One pass over a source: what Git holds now becomes releases and writes, or a report; never less than Git, never more than allowed.

Order: what is asked for is put on record (inventory) → releases are opened → objects are written in order → what left Git is pruned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, ObjectRef, Resource, labels_of, name_of
from reconciler.kernel.plan import Create, Emit, Patch, Plan
from reconciler.kernel.resources import (
    CLUSTER_RELEASE_POLICIES,
    CONFIGMAPS,
    DEPLOYMENTS,
    NAMESPACES,
    RELEASE_POLICIES,
    RELEASES,
    REPLICA_SETS,
    ROLLOUTS,
)
from reconciler.kube.cache import Cache
from reconciler.kube.client import Client
from reconciler.releases.apply_opener import ReleaseOpener
from reconciler.releases.asking import identities
from reconciler.runtime.apply import Apply
from reconciler.sources.inventory import Inventory, next_entries, render_inventory
from reconciler.sources.observe_inventory import Inventories
from reconciler.sources.source_port import SourcePort, Tip
from reconciler.sync.apply import Removed, Writing, Written
from reconciler.sync.prune import Removals, removals

RESYNC = timedelta(minutes=3)
REST, LONGEST_REST = 4.0, 5.0
"""How many times as long as the work of the pass before took, and how many seconds at most, a pass without news waits: many releases in
motion may not fill a core with passes."""
log = structlog.get_logger()


class SourceController:
    """One worker per source. Polls, webhooks and changed releases only say "look again"; a look without news writes nothing."""

    name = "source"
    watches = (RELEASES, ROLLOUTS, DEPLOYMENTS, REPLICA_SETS, RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES, NAMESPACES)

    def __init__(self, client: Client, cache: Cache, clock: Clock, sources: Mapping[str, SourcePort], parts: "Parts") -> None:
        self._clock = clock
        self._apply = Apply(client, cache, clock)
        self._sources = sources
        self._opener = parts.opener
        self._writing = parts.writing
        self._inventories = parts.inventories
        self._rested: dict[str, float] = {}

    def keys_for(self, resource: Resource, manifest: Manifest) -> Iterable[Key]:
        """A release that changed (held, lifted, decided) may let a template through; a changed policy may adopt or hand back."""
        source = labels_of(manifest).get("reconciler.dev/source")
        if resource is RELEASES and source is not None and source in self._sources:
            return [Key(self.name, "", source)]
        if resource in (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES):
            return [Key(self.name, "", name) for name in self._sources]
        if resource is NAMESPACES:
            return [Key(self.name, "", s.settings.name) for s in self._sources.values() if name_of(manifest) in s.settings.allow.namespaces]
        return []

    async def reconcile(self, key: Key) -> datetime | None:
        source = self._sources.get(key.name)
        if source is None:
            return None
        rest = self._rested.pop(key.name, 0.0) - self._clock.monotonic()
        if rest > 0 and not source.news_expected:
            self._rested[key.name] = self._clock.monotonic() + rest
            return self._clock.now() + timedelta(seconds=rest)
        return await self._pass(key, source)

    async def _pass(self, key: Key, source: SourcePort) -> datetime | None:
        stored, before = await self._inventories.read(key.name)
        try:
            tip = await source.latest()
        except (Transient, Terminal) as error:
            await self._store(key.name, stored, before, replace(before, problems=(f"cannot be read: {error}",)))
            raise
        began = self._clock.monotonic()
        if not source.settings.apply:
            await self._report(key.name, stored, before, tip)
            return None
        asked = replace(before, commit=tip.sha, workloads=identities(tip.parsed))
        stored = await self._store(key.name, stored, before, asked)
        unjudged = await self._opener.open(source, tip)
        written = await self._writing.write(source.settings, tip)
        after = await self._finish(source, tip, asked, written)
        after = replace(after, problems=(*after.problems, *unjudged))
        await self._store(key.name, stored, asked, after)
        if written.retry:
            raise Transient(f"source {key.name}: {written.retry[0]}")
        ended = self._clock.monotonic()
        self._rested[key.name] = ended + min(REST * (ended - began), LONGEST_REST)
        return min(filter(None, (written.wake_at, self._clock.now() + RESYNC)))

    async def _finish(self, source: SourcePort, tip: Tip, asked: Inventory, written: Written) -> Inventory:
        """Prune what left Git, unless anything at all was wrong with this look."""
        settings = source.settings
        known = set(written.uids.values())
        # The same object under another apiVersion has moved in Git, not left it.
        entries = tuple(e for e in asked.entries if e.place in written.desired or e.uid not in known)
        pruned = Removals()
        removed = Removed()
        whole = not tip.parsed.problems and not written.problems and not written.retry and not tip.rewritten
        if settings.prune and whole:
            pruned = removals(entries, written.desired, settings.prune_limit)
            removed = await self._writing.remove(pruned.entries, settings.name)
        problems = (*_problems(tip), *written.problems, *((pruned.blocked,) if pruned.blocked else ()), *removed.problems)
        return replace(asked, entries=next_entries(entries, written.uids, removed.entries), problems=problems)

    async def _report(self, source: str, stored: Manifest | None, before: Inventory, tip: Tip) -> None:
        """`apply: false`: say what would be followed, write nothing else."""
        counted = f"reporting only: {len(tip.parsed.manifests)} objects at {tip.sha[:12]} would be applied; set apply: true to do it"
        await self._store(source, stored, before, replace(before, commit=tip.sha, problems=(counted, *_problems(tip))))

    async def _store(self, source: str, stored: Manifest | None, before: Inventory, after: Inventory) -> Manifest | None:
        if stored is not None and before == after:
            return stored
        fresh = render_inventory(source, self._inventories.namespace, after)
        if stored is None:
            await self._apply(Plan((Create(CONFIGMAPS, fresh),)))
        else:
            place = ObjectRef(CONFIGMAPS, self._inventories.namespace, name_of(fresh))
            await self._apply(Plan((Patch(place, {"data": fresh["data"]}),)))
        self._inventories.written(source, after)
        await self._tell(source, fresh, before, after)
        return fresh

    async def _tell(self, source: str, about: Manifest, before: Inventory, after: Inventory) -> None:
        """One event and one log line per new problem."""
        for problem in after.problems:
            if problem not in before.problems:
                log.warning("source problem", source=source, problem=problem)
                await self._apply(Plan((Emit(about, "SourceProblem", problem, warning=True),)))


def _problems(tip: Tip) -> tuple[str, ...]:
    return tuple(str(problem) for problem in tip.parsed.problems)


class Parts:
    """The two halves of a pass, and where inventories are kept."""

    def __init__(self, opener: ReleaseOpener, writing: Writing, inventories: Inventories) -> None:
        self.opener = opener
        self.writing = writing
        self.inventories = inventories
