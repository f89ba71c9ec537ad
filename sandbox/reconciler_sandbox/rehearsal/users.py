"""The users of a rehearsal: one steady load per traffic of the story, bursts that count, and what everybody was answered."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from types import TracebackType
from typing import Self

from reconciler_sandbox.load import Load, Sample
from reconciler_sandbox.rehearsal.record import Requests
from reconciler_sandbox.rehearsal.shares import tally
from reconciler_sandbox.rehearsal.story import Flow

Address = Callable[[int], tuple[str, int]]


class UserGroups:
    """Loads by the name of their traffic; `address` leads from a gateway port to where it listens."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._loads: dict[str, Load] = {}
        self._bursting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for load in self._loads.values():
            await load.stop()

    async def change(self, flows: Mapping[str, Flow]) -> None:
        """From now on these flows have these rates; what was answered before stays counted."""
        for name, flow in flows.items():
            await self._change(name, flow)

    async def _change(self, name: str, flow: Flow) -> None:
        load = self._loads.get(name)
        if load is None:
            load = self._loads[name] = Load(self._address(flow.port), host=flow.host, rate=flow.rate or 1.0)
        await load.stop()
        load.address, load.host, load.path, load.headers = self._address(flow.port), flow.host, flow.path, flow.headers
        load.rate = flow.rate or 1.0
        if flow.rate:
            await load.start()

    async def burst(self, name: str, count: int, headers: Mapping[str, str] | None = None) -> list[Sample]:
        """So many requests at once; bursts take turns, because a machine that is busy is slow for all of them."""
        async with self._bursting:
            return await self._loads[name].burst(count, headers=headers)

    def answered(self, name: str, version: str) -> int:
        """How many untagged requests so far this version answered, errors included."""
        return sum(sample.version == version for sample in self.untagged(name))

    def failed(self, name: str) -> int:
        """How many untagged requests so far got no answer or a 5xx."""
        return sum(sample.failed for sample in self.untagged(name))

    def untagged(self, name: str) -> list[Sample]:
        return [sample for sample in self._loads[name].samples if not sample.tagged]

    def samples(self) -> Iterator[Sample]:
        """Every request that was kept, of all traffics."""
        return chain.from_iterable(load.samples for load in self._loads.values())

    def requests(self, since: float) -> Mapping[str, list[Requests]]:
        """Requests per version and whole second after `since` (Unix seconds), by traffic."""
        return {name: seconds_of(self.untagged(name), since) for name in self._loads}


def seconds_of(samples: list[Sample], since: float) -> list[Requests]:
    """The samples counted per second and version; seconds without any are left out."""
    seconds: dict[int, list[str]] = {}
    for sample in samples:
        seconds.setdefault(int(sample.time - since), []).append("" if sample.failed else sample.version)
    return [Requests(second, tally(versions)) for second, versions in sorted(seconds.items()) if second >= 0]
