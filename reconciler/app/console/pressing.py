"""Presses a verb for a person: what they saw still holds, they may, it is put on record, then it is done — and otherwise said.

Two people who press at once meet at the record: it is written over the version of the Release that was read, so that the second one is
refused by the server, reads again, and is told what the first one did.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from reconciler.app.console.verbs import ConsoleVerb, VerbScene, VerbSubject, stance_of
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Manifest, controller_uid, uid_of
from reconciler.kernel.plan import Emit, Patch, PatchStyle
from reconciler.kernel.resources import EVENTS, NAMESPACES, RELEASES, REPLICA_SETS, ROLLOUTS
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError, Conflict, NotServed
from reconciler.releases import verbs as records
from reconciler.releases.holds import of_workload
from reconciler.releases.manifest import parse_release, parse_releases
from reconciler.releases.model import Press, Release
from reconciler.runtime.recorder import event_manifest

TRIES = 5
REASON = "VerbPressed"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PressPlace:
    """What is pressed, and where; the name is that of the Rollout, the Release or the daemon's namespace."""

    verb: ConsoleVerb
    namespace: str
    name: str
    asked: str = ""
    """The identity that Git asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PressOrder:
    """What a person answered on the page that asked them."""

    by: str
    stance: str
    seen: str
    reason: str
    shown_at: datetime


class PressEnd(StrEnum):
    """How it ended."""

    DONE = "done"
    CHANGED = "changed"
    """What was on the screen is not so any more."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The server did not answer when it was asked to do it."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class PressOutcome:
    """How it ended, in words where it was not done, and what could not be put on record."""

    end: PressEnd
    words: str = ""
    notes: tuple[str, ...] = ()
    others: tuple[Press, ...] = ()
    """What others pressed since the page was shown."""


class Presser:
    """Reads and records with `own`, does what was pressed with the client of the person."""

    def __init__(self, own: Client, clock: Clock) -> None:
        self._own = own
        self._clock = clock

    async def scene(self, place: PressPlace, by: str) -> VerbScene | None:
        """What the verb would be pressed on now, read from the server; None when it is gone."""
        namespace, name, now = place.namespace, place.name, self._clock.now()
        match place.verb.subject:
            case VerbSubject.FREEZE:
                found = await self._own.find(NAMESPACES, "", name)
                return VerbScene(subject=found, now=now, by=by) if found is not None else None
            case VerbSubject.RELEASE:
                manifest = await self._own.find(RELEASES, namespace, name)
                if manifest is None:
                    return None
                release = parse_release(manifest)
                return VerbScene(subject=manifest, release=release, releases=await self._releases(release.key), now=now, by=by)
        rollout = await self._own.find(ROLLOUTS, namespace, name)
        if rollout is None:
            return None
        sets = [one for one in await self._own.list(REPLICA_SETS, namespace) if controller_uid(one) == uid_of(rollout)]
        releases = await self._releases((namespace, "Rollout", name))
        newest = releases[-1] if releases else None
        return VerbScene(subject=rollout, release=newest, releases=releases, replica_sets=sets, asked=place.asked, now=now, by=by)

    async def press(self, place: PressPlace, order: PressOrder, acting: Client) -> PressOutcome:
        """Do it if everything is still as it was shown. Raises Transient when the API server does not answer."""
        for _ in range(TRIES):
            scene = await self.scene(place, order.by)
            if scene is None:
                return PressOutcome(PressEnd.GONE, f"{place.namespace}/{place.name} is not there any more")
            if stance_of(place.verb, scene) != order.stance:
                return PressOutcome(PressEnd.CHANGED, others=_since(scene.release, order))
            try:
                return await self._carried_out(place, scene, order, acting)
            except Conflict:
                continue
            except Transient:
                raise
            except (ApiError, Terminal) as error:
                return PressOutcome(PressEnd.REFUSED, str(error))
        raise Transient(f"{place.namespace}/{place.name} changes all the time: try again")

    async def _carried_out(self, place: PressPlace, scene: VerbScene, order: PressOrder, acting: Client) -> PressOutcome:
        """Asked of the server without doing it, put on record, done."""
        await _sent(acting, place.verb.patches(scene), scene, {"dryRun": "All"})
        press = Press(verb=place.verb.name, at=scene.now, by=order.by, seen=order.seen, reason=order.reason)
        notes, release = await self._recorded(scene.release, press)
        try:
            outcome = await self._done(place, replace(scene, release=release), order, acting)
        except (ApiError, Terminal, Transient) as error:
            await self._ended(scene.release, press, str(error))
            raise
        if outcome.end is not PressEnd.DONE:
            await self._ended(scene.release, press, "somebody else was first")
            return outcome
        if not notes:
            notes = await self._ended(scene.release, press, "")
        log.info("verb pressed", verb=press.verb, by=press.by, namespace=place.namespace, name=place.name, why=press.reason)
        return replace(outcome, notes=(*notes, *await self._told(scene, press)))

    async def _done(self, place: PressPlace, scene: VerbScene, order: PressOrder, acting: Client) -> PressOutcome:
        """Once on record it is tried over whatever controllers write meanwhile, for as long as what was shown still holds."""
        for _ in range(TRIES):
            try:
                await _sent(acting, place.verb.patches(scene), scene, {})
            except Conflict:
                fresh = await self.scene(place, order.by)
                if fresh is None or stance_of(place.verb, _without(fresh, order.by, scene.now)) != order.stance:
                    return PressOutcome(PressEnd.CHANGED, others=_since(fresh.release if fresh else None, order))
                scene = replace(fresh, now=scene.now)
                continue
            return PressOutcome(PressEnd.DONE)
        raise Transient(f"{place.namespace}/{place.name} changes all the time: try again")

    async def _recorded(self, release: Release | None, press: Press) -> tuple[tuple[str, ...], Release | None]:
        """The press in the Release, with the Release as it is then. What we may not write is said, and keeps no rollout from going home."""
        if release is None:
            return (), None
        try:
            return (), parse_release(await self._send(self._own, records.recorded(release, press)))
        except Conflict:
            raise
        except (ApiError, Transient) as error:
            return (f"it is not on record in Release {release.name}: {error}",), release

    async def _ended(self, release: Release | None, press: Press, refused: str) -> tuple[str, ...]:
        """The record says how it ended; where that cannot be written, it stays open, and that is said."""
        if release is None:
            return ()
        problem = "it changes all the time"
        for _ in range(TRIES):
            try:
                fresh = parse_release(await self._own.get(RELEASES, release.namespace, release.name))
                end = records.taken_back(fresh, press, refused) if refused else records.carried_out(fresh, press)
                await self._send(self._own, end)
            except Conflict:
                continue
            except (ApiError, Terminal, Transient) as error:
                problem = str(error)
                break
            return ()
        log.warning("a press stays open on record", release=release.name, verb=press.verb, done=not refused, reason=problem)
        return (f"its record in Release {release.name} does not say that it was done: {problem}",)

    async def _told(self, scene: VerbScene, press: Press) -> tuple[str, ...]:
        words = "; ".join(filter(None, (press.reason, f"on screen: {press.seen}" if press.seen else "")))
        about = Emit(scene.subject, REASON, f"{press.by} pressed {press.verb} in the console" + (f": {words}" if words else ""))
        try:
            await self._own.create(EVENTS, event_manifest(about, press.at))
        except (ApiError, Transient) as error:
            return (f"no Event tells of it: {error}",)
        return ()

    async def _releases(self, key: tuple[str, str, str]) -> list[Release]:
        try:
            return of_workload(parse_releases(await self._own.list(RELEASES, key[0])), key)
        except NotServed:
            return []

    async def _send(self, client: Client, patch: Patch) -> Manifest:
        return await client.patch(patch.ref, patch.body, style=patch.style, subresource=patch.subresource)


async def _sent(client: Client, patches: Sequence[Patch], scene: VerbScene, query: dict[str, str]) -> None:
    """The patches in order; those of the subject itself only over the version that was read, or that the one before left."""
    subject = scene.subject
    own = scene.release is not None and subject.get("kind") == RELEASES.kind
    version = scene.release.version if own and scene.release is not None else str(subject["metadata"].get("resourceVersion", ""))
    for patch in patches:
        mine = patch.ref.name == subject["metadata"]["name"] and patch.ref.resource.kind == subject.get("kind")
        body = _over(patch, version) if mine and version else patch.body
        after = await client.patch(patch.ref, body, style=patch.style, subresource=patch.subresource, query=query)
        if mine and not query:
            version = str(after["metadata"].get("resourceVersion", ""))


def _over(patch: Patch, version: str) -> Any:
    """The body of a patch that the server refuses over another version."""
    if patch.style is PatchStyle.JSON and isinstance(patch.body, list):
        return [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}, *patch.body]
    assert isinstance(patch.body, dict), "a merge patch is an object"
    return {**patch.body, "metadata": {**patch.body.get("metadata", {}), "resourceVersion": version}}


def _since(release: Release | None, order: PressOrder) -> tuple[Press, ...]:
    return () if release is None else tuple(one for one in release.status.presses if one.at >= order.shown_at and not one.refused)


def _without(scene: VerbScene, by: str, at: datetime) -> VerbScene:
    """The scene without our own record."""
    if scene.release is None:
        return scene
    presses = tuple(one for one in scene.release.status.presses if (one.by, one.at) != (by, at))
    status = msgspec.structs.replace(scene.release.status, presses=presses)
    return replace(scene, release=msgspec.structs.replace(scene.release, status=status))
