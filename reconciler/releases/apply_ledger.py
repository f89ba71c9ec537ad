"""Writes what was proven into Git notes, for sources that ask for it: level-triggered, and nothing else waits for it (ADR 0041)."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

import structlog

from reconciler.git.notes import Notes
from reconciler.git.push import AlreadyThere, Pushed, PushRefused, Refusal
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.identity import Key, Manifest, Resource, uid_of
from reconciler.kernel.resources import RELEASES
from reconciler.kube.cache import Cache
from reconciler.releases.ledger import Proof, changed_notes, notes_ref, proof_of
from reconciler.releases.manifest import parse_release
from reconciler.releases.restore.restoring import Hands

log = structlog.get_logger()


class LedgerController:
    """Brings the notes of a source up to what its Releases prove. What was written is remembered, so a pass without news asks no server."""

    name = "ledger"
    watches: tuple[Resource, ...] = (RELEASES,)

    def __init__(self, cache: Cache, hands: Mapping[str, Hands]) -> None:
        """`hands` are those of the sources that keep a ledger."""
        self._cache = cache
        self._hands = hands
        self._known: dict[str, dict[str, tuple[str, Proof | None]]] = {}
        self._written: dict[str, tuple[Proof, ...]] = {}

    def keys_for(self, _: Resource, manifest: Manifest) -> Iterable[Key]:
        """The source of a release that has ended."""
        source = str((manifest.get("spec") or {}).get("source") or "")
        if source in self._hands and (manifest.get("status") or {}).get("verdict"):
            yield Key(self.name, "", source)

    async def reconcile(self, key: Key) -> datetime | None:
        """Write the lines that are missing. Raises Transient for a race, Terminal where the server does not take notes."""
        hands = self._hands.get(key.name)
        proofs = self._proofs(key.name)
        if hands is None or not proofs or self._written.get(key.name) == proofs:
            return None
        settings = hands.source.settings
        notes = Notes(hands.source.mirror, notes_ref(settings.name, settings.environment))
        await notes.fetch()
        changed = changed_notes(await notes.read(), proofs)
        missing = await notes.write(changed, settings.committer)
        if missing:
            log.warning("not in the ledger: the commit is gone", source=settings.name, commits=[sha[:12] for sha in missing])
        if len(changed) > len(missing):
            await self._push(notes, hands, len(changed) - len(missing))
        self._written[key.name] = proofs
        return None

    async def _push(self, notes: Notes, hands: Hands, count: int) -> None:
        outcome, source = await notes.push(hands.remote, hands.permit), hands.source.settings.name
        match outcome:
            case Pushed() | AlreadyThere():
                log.info("ledger written", source=source, ref=notes.ref, commits=count)
            case PushRefused(Refusal.MOVED):
                raise Transient(f"{notes.ref}: somebody pushed notes first")
            case PushRefused():
                words = f"source {source}: the ledger was not taken: {outcome.reason}"
                raise Terminal(f"{words}; let the credential push {notes.ref}, or set ledger: false")
            case _:
                raise Transient(f"{notes.ref}: {outcome.reason}")

    def _proofs(self, source: str) -> tuple[Proof, ...]:
        """What the Releases of a source prove; each version of an object is read once."""
        before, known = self._known.get(source, {}), {}
        for manifest in self._cache.list(RELEASES):
            if (manifest.get("spec") or {}).get("source") != source:
                continue
            uid, version = uid_of(manifest), str(manifest["metadata"].get("resourceVersion"))
            entry = before.get(uid)
            known[uid] = entry if entry is not None and entry[0] == version else (version, _proof(manifest))
        self._known[source] = known
        return tuple(sorted((proof for _version, proof in known.values() if proof is not None), key=lambda proof: proof.key))


def _proof(manifest: Manifest) -> Proof | None:
    """The line of one object; none for one that was written by hand and does not fit."""
    with suppress(Terminal):
        return proof_of(parse_release(manifest))
    return None
