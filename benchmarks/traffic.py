"""Requests to an API server, as many at a time as told, and how many of them a second are answered."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import orjson

from reconciler.kernel.identity import Manifest

NAMESPACE, BESIDE = "measured", "beside"
AT_A_TIME = 16
PATIENCE = 120.0
JSON, MERGE, APPLY = "application/json", "application/merge-patch+json", "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    content: str = JSON


@dataclass(frozen=True, slots=True)
class Things:
    """A collection of objects that differ in their names."""

    path: str
    template: Manifest

    def manifest(self, number: int, note: int = 0) -> bytes:
        """An object; `note` is what changes in it."""
        metadata = {"name": f"one-{number}", "labels": {"app": "web", "note": f"n{note}"}}
        return orjson.dumps({**self.template, "metadata": metadata})

    def creates(self, count: int) -> Iterator[Call]:
        return (Call("POST", self.path, self.manifest(number)) for number in range(count))

    def reads(self, count: int, among: int) -> Iterator[Call]:
        return (Call("GET", self._at(number % among)) for number in range(count))

    def updates(self, count: int, among: int) -> Iterator[Call]:
        return (Call("PUT", self._at(number % among), self.manifest(number % among, number + 1)) for number in range(count))

    def patches(self, count: int, among: int, word: str = "p") -> Iterator[Call]:
        bodies = (orjson.dumps({"metadata": {"labels": {"note": f"{word}{number}"}}}) for number in range(count))
        return (Call("PATCH", self._at(number % among), body, MERGE) for number, body in enumerate(bodies))

    def applies(self, count: int, among: int) -> Iterator[Call]:
        applier = "?fieldManager=measured&force=true"
        return (
            Call("PATCH", self._at(number % among) + applier, self.manifest(number % among, number + 1), APPLY) for number in range(count)
        )

    def _at(self, number: int) -> str:
        return f"{self.path}/one-{number}"


CONFIG_MAPS = Things(
    f"/api/v1/namespaces/{NAMESPACE}/configmaps",
    {"apiVersion": "v1", "kind": "ConfigMap", "data": {f"key-{number}": "v" * 100 for number in range(8)}},
)
MORE_CONFIG_MAPS = replace(CONFIG_MAPS, path=CONFIG_MAPS.path.replace(NAMESPACE, BESIDE))
REPLICA_SETS = Things(
    f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets",
    {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [
                        {
                            "name": name,
                            "image": f"registry.example.com/{name}:1.2.3",
                            "ports": [{"containerPort": port}],
                            "env": [{"name": f"SETTING_{number}", "value": str(number)} for number in range(4)],
                            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                            "readinessProbe": {"httpGet": {"path": "/ready", "port": port}},
                        }
                        for name, port in (("web", 8080), ("proxy", 15001))
                    ]
                },
            },
        },
    },
)


class Client:
    """What every measurement is made with."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, call: Call) -> Any:
        """The answer, read as JSON. Raises AssertionError for a refusal."""
        headers = {"Content-Type": call.content} if call.body else None
        async with self._session.request(call.method, call.path, data=call.body or None, headers=headers) as answer:
            text = await answer.read()
            assert answer.status < 300, f"{call.method} {call.path}: {answer.status} {text[:500]!r}"
            return orjson.loads(text)

    async def rate(self, calls: Iterable[Call], at_a_time: int = AT_A_TIME) -> float:
        """How many of them are answered in a second."""
        pending, count = iter(list(calls)), 0

        async def work() -> None:
            nonlocal count
            for call in pending:
                await self(call)
                count += 1

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_a_time):
                group.create_task(work())
        return count / (time.perf_counter() - begin)

    async def delivered(self, things: Things, patches: Sequence[Call], watchers: int) -> float:
        """Events a second that all watchers together have received, from the first write to the last event."""
        version = (await self(Call("GET", f"{things.path}?limit=1")))["metadata"]["resourceVersion"]
        path = f"{things.path}?watch=1&resourceVersion={version}"
        async with self._watched(path, [Watcher(len(patches)) for _ in range(watchers)]) as watching:
            begin = time.perf_counter()
            await self.rate(patches)
            async with asyncio.timeout(PATIENCE):
                for watcher in watching:
                    await watcher.enough.wait()
            return watchers * len(patches) / (time.perf_counter() - begin)

    @asynccontextmanager
    async def _watched(self, path: str, watching: "Sequence[Watcher]") -> "AsyncIterator[Sequence[Watcher]]":
        answers = [await self._session.get(path) for _ in watching]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(watcher.read(answer)) for watcher, answer in zip(watching, answers, strict=True)]
            yield watching
            for task in tasks:
                task.cancel()
        for answer in answers:
            answer.close()


@dataclass(slots=True)
class Watcher:
    """Counts the events of one watch."""

    wanted: int
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        seen = 0
        async for chunk in answer.content.iter_any():
            seen += chunk.count(b"\n")
            if seen >= self.wanted:
                self.enough.set()
