"""Writes a tip to the cluster, object by object: the second half of a source's pass.

One bad object never stops the others: what cannot be written becomes a problem of that object.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, ObjectRef, Resource, annotations_of, name_of, namespace_of, uid_of
from reconciler.kernel.plan import Emit, Patch, PatchStyle, Plan
from reconciler.kernel.resources import AUTOSCALERS, NAMESPACES, ROLLOUTS
from reconciler.kernel.well_known import suspended
from reconciler.kube.cache import Cache
from reconciler.kube.client import MANAGER, Client
from reconciler.kube.discovery import Discovery
from reconciler.kube.errors import ApiError, NotServed
from reconciler.releases.gate import TemplateDecision
from reconciler.releases.override import OVERRIDE, in_force, overridden
from reconciler.rollouts.traffic.router import Routers
from reconciler.runtime.apply import Apply
from reconciler.sources.documents import Located
from reconciler.sources.inventory import InventoryEntry, Place
from reconciler.sources.permission import other_driver, other_source, refusal
from reconciler.sources.settings import SourceSettings
from reconciler.sources.source_port import Tip
from reconciler.sync.apply_adoption import Adopting
from reconciler.sync.carry import RuntimeOwned, carry_over
from reconciler.sync.effective import effective, written
from reconciler.sync.migration import client_side, migration
from reconciler.sync.observe_template_gate import OverrideEnd, TemplateGate
from reconciler.sync.order import in_order
from reconciler.sync.owned import runtime_owned

FORCE = {"force": "true"}
log = structlog.get_logger()


@dataclass(slots=True)
class Written:
    """What one pass found and did: uids of the objects in place, every place Git asks for, and what went wrong."""

    uids: dict[Place, str] = field(default_factory=dict)
    desired: set[Place] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    retry: list[str] = field(default_factory=list)
    adopted: list[tuple[str, str]] = field(default_factory=list)
    suspended: dict[str, bool] = field(default_factory=dict)
    owned: RuntimeOwned | None = None
    wake_at: datetime | None = None

    def look_at(self, moment: datetime | None) -> None:
        """Look again at this moment, or sooner."""
        self.wake_at = min(filter(None, (self.wake_at, moment)), default=None)


@dataclass(frozen=True, slots=True)
class Removed:
    """What is gone of all that left Git, and what could not be deleted, in words."""

    entries: tuple[InventoryEntry, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gates:
    """Who decides whether a template may pass, who adopts plain Deployments, and who says which fields are a router's."""

    templates: TemplateGate
    adoptions: Adopting
    routers: Routers


class Writing:
    """Server-side apply with the version it was derived from, carrying over what runtime owns (ADR 0017)."""

    def __init__(self, client: Client, cache: Cache, clock: Clock, gates: Gates) -> None:
        self._client = client
        self._cache = cache
        self._apply = Apply(client, cache, clock)
        self._template_gate = gates.templates
        self._adopting = gates.adoptions
        self._routers = gates.routers
        self._discovery = Discovery(client)

    async def write(self, settings: SourceSettings, tip: Tip) -> Written:
        """One look at every manifest of the tip, in order."""
        report = Written()
        manifests = {id(located.manifest): located for located in tip.parsed.manifests}
        ordered = in_order([located.manifest for located in tip.parsed.manifests])
        for manifest in ordered:
            await self._guarded(settings, tip, manifests[id(manifest)], report)
        if not tip.parsed.problems and not report.problems and not report.retry:
            report.look_at(await self._adopting.hand_back(settings.name, report.adopted))
        return report

    async def remove(self, entries: tuple[InventoryEntry, ...], source: str) -> Removed:
        """Delete what left Git, by uid, and only while it still is marked as this source's; what a person suspended stays ours."""
        gone, problems = [], []
        for entry in entries:
            try:
                if await self._remove(entry, source):
                    gone.append(entry)
            except Terminal as error:
                problems.append(f"{entry.place[1]} {entry.place[3]} left Git and could not be removed: {error}")
        return Removed(tuple(gone), tuple(problems))

    async def _remove(self, entry: InventoryEntry, source: str) -> bool:
        """True when the object is gone, or not ours any more."""
        api_version, kind, namespace, name = entry.place
        resource = await self._discovery.resource_of({"apiVersion": api_version, "kind": kind})
        live = await self._client.find(resource, namespace, name)
        if live is None or annotations_of(live).get("reconciler.dev/source") != source:
            return True
        if await self._suspended(live, {}):
            return False
        await self._client.delete(ObjectRef(resource, namespace, name), uid=entry.uid)
        return True

    async def _guarded(self, settings: SourceSettings, tip: Tip, located: Located, report: Written) -> None:
        try:
            await self._one(settings, tip, located, report)
        except Transient as error:
            report.retry.append(f"{located.file}:{located.line}: {error}")
        except (Terminal, ApiError) as error:
            report.problems.append(f"{located.file}:{located.line}: {error}")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("manifest not understood", source=settings.name, file=located.file, line=located.line, exc_info=error)
            kind, reason = located.manifest["kind"], f"{type(error).__name__} {error}"
            report.problems.append(f"{located.file}:{located.line}: this {kind} does not have the shape of one ({reason}): correct it")

    async def _one(self, settings: SourceSettings, tip: Tip, located: Located, report: Written) -> None:
        manifest = located.manifest
        place = (str(manifest["apiVersion"]), str(manifest["kind"]), namespace_of(manifest), name_of(manifest))
        report.desired.add(place)
        if tip.parsed.contested(located):
            return  # two documents claim it, which is a problem of the source already
        refused = refusal(manifest, settings.allow)
        if refused:
            raise Terminal(refused)
        if not name_of(manifest):
            raise Terminal(f"a {manifest['kind']} without metadata.name: what is applied again and again needs a name")
        resource = await self._discovery.resource_of(manifest)
        live = await self._live(resource, manifest)
        if live is not None:
            _check_drivers(live, settings.name)
            report.uids[place] = uid_of(live)
        if await self._suspended(live or manifest, report.suspended):
            return
        answer = await self._put(settings, tip, (resource, located, live), report)
        if answer is not None:
            report.uids[place] = uid_of(answer)

    async def _put(
        self, settings: SourceSettings, tip: Tip, target: tuple[Resource, Located, Manifest | None], report: Written
    ) -> Manifest | None:
        resource, located, live = target
        template, override_end = self._template_gate.template(tip, located, live)
        release = template.release
        report.look_at(template.wake_at)
        adoption = await self._adopting.wanted(located, live)
        if adoption is not None:
            report.adopted.append((namespace_of(located.manifest), name_of(located.manifest)))
            template = template if adoption.done else TemplateDecision(keep=live is not None, reason="the running version is adopted first")
        marks = {"reconciler.dev/source": settings.name, "reconciler.dev/release": release}
        wanted = _due(located.manifest, live, template, marks)
        answer = None
        if wanted is not None:
            payload = carry_over(wanted, live, await self._runtime_owned(tip, settings, report))
            if live is not None and await self._taken_over(resource, payload, live):
                return await self._put(settings, tip, (resource, located, await self._live(resource, located.manifest)), report)
            answer = await self._send(resource, payload, live)
            if resource.plural == AUTOSCALERS.plural:
                report.owned = None
        if adoption is not None:
            report.look_at(await self._adopting.adopt(adoption, settings.name, release))
        if override_end is not None:
            await self._end(override_end)
        return answer

    async def _end(self, override_end: OverrideEnd) -> None:
        """Git has the last word: the mark of a person's override goes, unless they have overridden that word too by now."""
        live = await self._client.find(ROLLOUTS, override_end.rollout.namespace, override_end.rollout.name)
        if live is None or not overridden(live) or in_force(live, override_end.identity):
            return
        body = {"metadata": {"annotations": {OVERRIDE: None}, "resourceVersion": live["metadata"]["resourceVersion"]}}
        words = "a person's override is over: Git asks for another version by now"
        await self._apply(Plan((Patch(override_end.rollout, body), Emit(live, "OverrideEnded", words))))
        log.info(words, rollout=str(override_end.rollout))

    async def _send(self, resource: Resource, payload: Manifest, live: Manifest | None) -> Manifest:
        metadata = {key: value for key, value in payload["metadata"].items() if key in ("name", "namespace", "labels", "annotations")}
        if live is not None:
            metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
        body = {**{key: value for key, value in payload.items() if key != "status"}, "metadata": metadata}
        place = ObjectRef(resource, namespace_of(payload), name_of(payload))
        await self._apply(Plan((Patch(place, body, PatchStyle.APPLY, query=FORCE),)))
        return await self._live(resource, payload) or payload

    async def _taken_over(self, resource: Resource, payload: Manifest, live: Manifest) -> bool:
        """Make ours what kubectl's client-side apply wrote, so that what leaves Git leaves the object; whether that was a write."""
        if not client_side(live):
            return False
        place = ObjectRef(resource, namespace_of(payload), name_of(payload))
        owned = await self._client.with_owners(place)
        if owned["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            raise Transient(f"{place} was written by somebody else meanwhile")
        operations = migration(owned, payload, MANAGER)
        if operations is None:
            return False
        await self._apply(Plan((Patch(place, operations, PatchStyle.JSON),)))
        return True

    async def _suspended(self, manifest: Manifest, known: dict[str, bool]) -> bool:
        """True when a person asked us to leave this object, or everything in its namespace, alone (ADR 0021)."""
        namespace = namespace_of(manifest)
        if namespace and namespace not in known:
            live = await self._client.find(NAMESPACES, "", namespace)
            known[namespace] = live is not None and suspended(live)
        return suspended(manifest) or known.get(namespace, False)

    async def _live(self, resource: Resource, manifest: Manifest) -> Manifest | None:
        """Uncached: what is written is derived from it."""
        return await self._client.find(resource, namespace_of(manifest), name_of(manifest))

    async def _runtime_owned(self, tip: Tip, settings: SourceSettings, report: Written) -> RuntimeOwned:
        """Found out once a pass, and once more after an autoscaler was written."""
        if report.owned is None:
            report.owned = await self._owned_now(tip, settings)
        return report.owned

    async def _owned_now(self, tip: Tip, settings: SourceSettings) -> RuntimeOwned:
        manifests = [located.manifest for located in tip.parsed.manifests]
        wanted = [m for m in manifests if m["kind"] == "Rollout" and isinstance(m.get("spec"), dict)]
        scalers = [h for namespace in settings.allow.namespaces for h in await self._autoscalers(namespace)]
        return runtime_owned([*self._cache.list(ROLLOUTS), *wanted], scalers, self._routers)

    async def _autoscalers(self, namespace: str) -> list[Manifest]:
        try:
            return await self._client.list(AUTOSCALERS, namespace)
        except NotServed:
            return []


def _due(desired: Manifest, live: Manifest | None, template: TemplateDecision, marks: Mapping[str, str]) -> Manifest | None:
    """What is to be written now; None when the live object already is what Git asks for, or what may be had of it."""
    choices = [effective(desired, live, TemplateDecision(), marks), effective(desired, live, template, marks)]
    if any(choice is not None and written(choice, live) for choice in choices):
        return None
    return choices[-1]


def _check_drivers(live: Manifest, source: str) -> None:
    """Never two drivers (ADR 0022)."""
    tool = other_driver(live)
    if tool:
        raise Terminal(f"{live['kind']} {name_of(live)} is applied by {tool} already: remove it there or from this source")
    owner = other_source(live, source)
    if owner:
        raise Terminal(f"{live['kind']} {name_of(live)} belongs to source {owner} already: keep it in one source")
