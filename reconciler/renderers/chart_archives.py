"""Charts from where a source allows: fetched once by our own HTTP client, kept in a folder, tried again after longer and longer pauses.

What renders has no network: it finds the archives among its files. What is in the folder is used without a question to anybody, so a
restore needs no repository that is away. One version of a chart is taken to be the same for ever, as Helm has it.
"""

import asyncio
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import httpx

from reconciler.git.credentials import credential_file
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.redaction import Redactor
from reconciler.kernel.unusable import reason_of
from reconciler.renderers.chart_index import IndexEntry, NotUsable, check_archive, entries_of
from reconciler.renderers.chart_oci import (
    LARGEST_MANIFEST,
    LARGEST_TOKEN_ANSWER,
    MANIFESTS,
    OciRegistry,
    challenge_of,
    layer_of,
    manifest_address,
    over_http,
    own_realm,
    scope_of,
    token_of,
)
from reconciler.sources.charts import OCI, ChartRegistry, ChartWish, FetchedCharts, archive_address, below
from reconciler.web.client import REDIRECTING, REDIRECTS, HttpAnswer, HttpCall, ask

LARGEST_INDEX = 32 << 20
LARGEST_ARCHIVE = 20 << 20
LARGEST_FOLDER = 512 << 20
"""Bytes of all archives that are kept; those that were not used for the longest time go first."""
SECONDS = 60.0
SHORTEST_PAUSE, LONGEST_PAUSE = 30.0, 900.0
MOST_PAUSES = 1000
DIGEST = 32
"""Bytes of the SHA-256 in front of an archive in the folder: what was half written is not used."""
OK, UNAUTHORIZED = 200, 401
DENIED = (401, 403)
PLAIN = {"Accept-Encoding": "identity"}
_Asked = tuple[ChartWish, tuple[ChartRegistry, ...]]
"""A chart, and from where: what one source may not have another may."""


@dataclass(frozen=True, slots=True)
class _FailedFetch:
    """Until when a chart is not asked for again, after how many failures, and why it was not had."""

    until: float
    failures: int
    why: str


class KeptCharts:
    """The archives of charts in a folder: each is there as a whole, or not at all."""

    def __init__(self, folder: Path, largest: int = LARGEST_FOLDER) -> None:
        self._folder = folder
        self._largest = largest

    def read(self, key: str) -> bytes | None:
        """An archive; None where it is not there, or not as it was written."""
        place = self._folder / key
        try:
            whole = place.read_bytes()
            os.utime(place)
        except OSError:
            return None
        content = whole[DIGEST:]
        return content if hashlib.sha256(content).digest() == whole[:DIGEST] else None

    def write(self, key: str, content: bytes) -> None:
        """Keeps an archive, and lets go of those that were not used for the longest time. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=self._folder, prefix="new-", delete=False) as file:
            try:
                file.write(hashlib.sha256(content).digest() + content)
                file.flush()
                os.replace(file.name, self._folder / key)
            except BaseException:
                with suppress(OSError):
                    os.unlink(file.name)
                raise
        self._shrink(key)

    def _shrink(self, newest: str) -> None:
        there = []
        for place in self._folder.iterdir():
            with suppress(FileNotFoundError):  # Another thread makes room, too.
                there.append((place.stat(), place))
        there.sort(key=lambda one: one[0].st_mtime)
        size = sum(stat.st_size for stat, _ in there)
        for stat, place in there:
            if size <= self._largest:
                return
            if place.name != newest:
                with suppress(OSError):
                    place.unlink()
                size -= stat.st_size


class HttpCharts:
    """Fetches from repositories of charts (`index.yaml` beside archives) and from OCI registries.

    One that is away holds up no other, nor what is kept.
    """

    def __init__(self, http: httpx.AsyncClient, clock: Clock, kept: KeptCharts) -> None:
        self._http = http
        self._clock = clock
        self._kept = kept
        self._pauses: OrderedDict[_Asked, _FailedFetch] = OrderedDict()
        self._silent: dict[ChartRegistry, _FailedFetch] = {}
        self._locks: dict[ChartRegistry, asyncio.Lock] = {}

    async def fetched(self, wishes: Sequence[ChartWish], registries: Sequence[ChartRegistry]) -> FetchedCharts:
        archives: dict[ChartWish, bytes] = {}
        refused: dict[ChartWish, str] = {}
        for repository in dict.fromkeys(wish.repository for wish in wishes):
            asked = tuple(dict.fromkeys(wish for wish in wishes if wish.repository == repository))
            registry = below(repository, registries)
            if registry is None:
                refused.update(dict.fromkeys(asked, "its repository is none of `registries`"))
                continue
            found = await self._had(asked, _Way(repository, over_http(registry), tuple(map(over_http, (registry, *registries)))))
            archives.update(found.archives)
            refused.update(found.refused)
        return FetchedCharts(archives, refused)

    async def _had(self, asked: Sequence[ChartWish], way: "_Way") -> FetchedCharts:
        """What is kept, and what is fetched of the rest: by one at a time of a registry, so that nothing is asked for twice."""
        kept = await asyncio.to_thread(self._there, asked, way)
        if len(kept) == len(asked):
            return FetchedCharts(kept)
        async with self._locks.setdefault(way.registry, asyncio.Lock()):
            kept = await asyncio.to_thread(self._there, asked, way)
            paused = {wish: why for wish in asked if wish not in kept and (why := self._paused((wish, way.registries)))}
            new = await self._fetch([wish for wish in asked if wish not in kept and wish not in paused], way)
        return FetchedCharts({**kept, **new.archives}, {**paused, **new.refused})

    def _there(self, wishes: Iterable[ChartWish], way: "_Way") -> dict[ChartWish, bytes]:
        """Those that are kept."""
        found = ((wish, self._kept.read(way.key(wish))) for wish in wishes)
        return {wish: content for wish, content in found if content is not None}

    async def _fetch(self, wishes: Sequence[ChartWish], way: "_Way") -> FetchedCharts:
        """Each chart by itself; where the index cannot be had, none of them."""
        if not wishes:
            return FetchedCharts()
        archives: dict[ChartWish, bytes] = {}
        refused: dict[ChartWish, str] = {}
        try:
            index = {} if way.oci else await self._index(wishes, way)
        except (Transient, Terminal, NotUsable) as error:
            return FetchedCharts(refused={wish: self._pause((wish, way.registries), str(error)) for wish in wishes})
        for wish in wishes:
            try:
                entry = await self._layer(wish, way) if way.oci else index.get(wish)
                archives[wish] = await self._archive(wish, entry, way)
                self._pauses.pop((wish, way.registries), None)
            except (Transient, Terminal, NotUsable) as error:
                refused[wish] = self._pause((wish, way.registries), str(error))
        return FetchedCharts(archives, refused)

    async def _index(self, wishes: Sequence[ChartWish], way: "_Way") -> Mapping[ChartWish, IndexEntry]:
        content = await self._body(f"{way.repository.rstrip('/')}/index.yaml", way, LARGEST_INDEX)
        return await asyncio.to_thread(entries_of, content, wishes)

    async def _layer(self, wish: ChartWish, way: "_Way") -> IndexEntry:
        """Where an OCI registry has the archive."""
        return layer_of(wish, await self._body(manifest_address(wish), way, LARGEST_MANIFEST), LARGEST_ARCHIVE)

    async def _archive(self, wish: ChartWish, entry: IndexEntry | None, way: "_Way") -> bytes:
        """An archive that was checked, and is kept now."""
        if entry is None:
            raise NotUsable("its repository's index.yaml has no such version")
        if entry.url.startswith(OCI):
            raise NotUsable("its repository's index.yaml leads to an OCI registry: write that address as the dependency's `repository`")
        content = await self._body(archive_address(way.repository, entry.url), way, LARGEST_ARCHIVE)
        await asyncio.to_thread(check_archive, wish, content, entry.digest)
        try:
            await asyncio.to_thread(self._kept.write, way.key(wish), content)
        except OSError as error:
            raise Transient(f"its archive cannot be kept in the workdir: {reason_of(error)}") from error
        return content

    async def _body(self, address: str, way: "_Way", limit: int) -> bytes:
        """What is at an address, or where that leads to. Raises Transient, Terminal and NotUsable, without a word of the answer."""
        for _ in range(REDIRECTS + 1):
            registry = below(address.partition("?")[0], way.registries)
            if registry is None:
                raise NotUsable(f"its repository leads to {_shown(address)}, which is in none of `registries`")
            answer = await self._answer(address, (registry, way), limit)
            location = answer.headers.get("Location")
            if answer.status not in REDIRECTING or not location:
                break
            address = str(httpx.URL(address).join(location))
        if answer.status != OK:
            raise NotUsable(_refused(address.partition("?")[0], answer.status))
        return answer.body

    async def _answer(self, address: str, asked: tuple[ChartRegistry, "_Way"], limit: int) -> HttpAnswer:
        """The answer of one registry, which is shown its own password alone. Raises Transient, Terminal and NotUsable."""
        registry, way = asked
        call = HttpCall(method="GET", url=address, headers=PLAIN, timeout=SECONDS, limit=limit, follow=False)
        if not isinstance(registry, OciRegistry):
            return await self._heard(registry, replace(call, headers={**PLAIN, **await _password(registry)}))
        call = replace(call, headers={**PLAIN, "Accept": f"{MANIFESTS}, */*;q=0.1"})
        answer = await self._heard(registry, call)
        who = await self._shown_to(registry, answer, (address, way)) if answer.status == UNAUTHORIZED else {}
        return await self._heard(registry, replace(call, headers={**call.headers, **who})) if who else answer

    async def _shown_to(self, registry: ChartRegistry, answer: HttpAnswer, asked: tuple[str, "_Way"]) -> Mapping[str, str]:
        """What an OCI registry wants to see: the password, or a token; nothing where there is neither. Raises as `_answer` does."""
        address, way = asked
        challenge = challenge_of(answer.headers.get("WWW-Authenticate") or "")
        if challenge is None or not challenge.realm:
            return await _password(registry) if challenge is not None else {}
        home = registry if own_realm(challenge.realm, registry) else below(challenge.realm, way.registries)
        if home is None:
            raise NotUsable(f"its registry sends to {_shown(challenge.realm)} for a token, which is in none of `registries`")
        query = {"scope": scope_of(address), **({"service": challenge.service} if challenge.service else {})}
        headers = {**PLAIN, **await _password(home)}
        call = HttpCall(method="GET", url=challenge.realm, headers=headers, query=query, timeout=SECONDS, follow=False)
        told = await self._heard(home, replace(call, limit=LARGEST_TOKEN_ANSWER))
        if told.status != OK:
            raise NotUsable(_refused(challenge.realm, told.status))
        return {"Authorization": f"Bearer {token_of(told.body)}"}

    async def _heard(self, registry: ChartRegistry, call: HttpCall) -> HttpAnswer:
        """One answer; a registry that gives none is left alone for a while. Raises Transient and Terminal."""
        self._check_silence(registry)
        try:
            return await ask(self._http, call)
        except Transient as silence:
            self._silent[registry] = _FailedFetch(self._clock.monotonic() + SHORTEST_PAUSE, 1, str(silence))
            raise

    def _check_silence(self, registry: ChartRegistry) -> None:
        """A registry that did not answer a moment ago is not waited for once more, for any of its charts. Raises Transient."""
        silence = self._silent.get(registry)
        if silence is not None and self._clock.monotonic() < silence.until:
            raise Transient(silence.why)

    def _paused(self, key: _Asked) -> str:
        """Why a chart is not asked for yet; empty for one that may be."""
        pause = self._pauses.get(key)
        return pause.why if pause is not None and self._clock.monotonic() < pause.until else ""

    def _pause(self, key: _Asked, why: str) -> str:
        before = self._pauses.pop(key, None)
        failures = before.failures + 1 if before is not None else 1
        seconds = min(SHORTEST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE)
        self._pauses[key] = _FailedFetch(self._clock.monotonic() + seconds, failures, why)
        while len(self._pauses) > MOST_PAUSES:
            self._pauses.popitem(last=False)
        return why


@dataclass(frozen=True, slots=True)
class _Way:
    """A repository, the registry that it is in, and all that a source allows."""

    repository: str
    registry: ChartRegistry
    registries: tuple[ChartRegistry, ...]

    @property
    def oci(self) -> bool:
        return self.repository.startswith(OCI)

    def key(self, wish: ChartWish) -> str:
        """What an archive is kept under: who has no password is not given what others had with one."""
        passwords = sorted({(one.username, one.password_file) for one in self.registries if one.password_file})
        words = (passwords, self.repository.rstrip("/"), wish.name, wish.version)
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()


async def _password(registry: ChartRegistry) -> Mapping[str, str]:
    """What shows the password of a registry that has one."""
    if not registry.password_file:
        return {}
    who = await asyncio.to_thread(credential_file(registry.username, registry.password_file))
    return {"Authorization": who.basic if who is not None else ""}


def _refused(address: str, status: int) -> str:
    """What an answer without content means to people."""
    return f"{address}: answered {status}" + ("; check `username` and `passwordFile` of the registry" if status in DENIED else "")


def _shown(address: str) -> str:
    """The host of an address, for people: what leads there may hold a credential."""
    return Redactor().text("/".join(address.split("/")[:3])) or "no address that can be used"
