"""The sandbox's API server beside a real one: the same client and requests, each server alone on the machine in its turn.

`python -m benchmarks.witness` prints medians of three rounds, and how many times better the sandbox is. Linux only.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson

from benchmarks.traffic import BESIDE, CONFIG_MAPS, MORE_CONFIG_MAPS, NAMESPACE, REPLICA_SETS, Call, Client
from benchmarks.witnesses import Real, Sandbox, Witness, resident, started
from reconciler.kube.config import endpoint
from scripts.real import binaries
from scripts.real.errors import NotObtained
from tests.kit.kubectl import binary
from tests.real.kit.api import session_of

ROUNDS = 3
NOT_RUN = "REAL TIER NOT RUN"
HEAD = ("what", "sandbox", "real", "times better")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked in one round: objects that are there, reads and writes, lists, ReplicaSets, runs of kubectl."""

    objects: int = 500
    calls: int = 2000
    lists: int = 40
    loaded: int = 3000
    runs: int = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement; of a `cost` less is better."""

    what: str
    unit: str
    cost: bool = False


START = Line("start until ready", "s", cost=True)
EMPTY = Line("memory, empty", "MiB", cost=True)
LOADED = Line("memory of 1,000 more ReplicaSets", "MiB", cost=True)
KUBECTL = Line("kubectl get configmaps (500)", "ms", cost=True)
GET = Line("get", "/s")
LIST = Line("list 500, one at a time", "/s")
CACHED = Line("list 500, resourceVersion=0", "/s")
CREATE = Line("create ConfigMap", "/s")
CREATE_SET = Line("create ReplicaSet", "/s")
UPDATE = Line("update", "/s")
PATCH = Line("merge patch", "/s")
PATCH_ALONE = Line("merge patch, one at a time", "/s")
APPLY = Line("server-side apply, ConfigMap", "/s")
APPLY_SET = Line("server-side apply, ReplicaSet", "/s")
WATCH = Line("events delivered, 1 watcher", "/s")
FAN_OUT = Line("events delivered, 50 watchers", "/s")
Round = Mapping[Line, float]
Measure = Callable[[Callable[[Path], Witness], Sizes], Round]


def main(find: Callable[[], binaries.ControlPlane] = binaries.control_plane, measure: Measure | None = None) -> int:
    """Print the table, without the real server's column when `find` finds none; `measure` takes a round, else `one_round` does."""
    if not sys.platform.startswith("linux"):
        print("memory of a process is read from /proc: Linux only", file=sys.stderr)
        return 2
    makers: list[Callable[[Path], Witness]] = [Sandbox]
    try:
        programs = find()
        makers.append(lambda folder: Real(programs, folder))
    except NotObtained as reason:
        print(f"{NOT_RUN}: {reason}")
    begin = time.perf_counter()
    rounds = [[(measure or one_round)(maker, Sizes()) for maker in makers] for _ in range(ROUNDS)]
    print("\n".join(table([medians(of_one) for of_one in zip(*rounds, strict=True)])))
    print(f"{ROUNDS} rounds, {time.perf_counter() - begin:.0f} s in all")
    return 0


def one_round(maker: Callable[[Path], Witness], sizes: Sizes) -> Round:
    """Everything measured once, on a server that is started for it."""
    with tempfile.TemporaryDirectory() as folder:
        witness = maker(Path(folder))
        try:
            before = {START: started(witness), EMPTY: resident(witness)}
            return {**before, **asyncio.run(_requests(witness, sizes)), **_kubectl(witness, sizes)}
        finally:
            witness.stop()


def medians(rounds: Sequence[Round]) -> Round:
    return {line: median(found[line] for found in rounds) for line in rounds[0]}


def table(columns: Sequence[Round]) -> list[str]:
    """The sandbox's column, and beside it the real server's if it was measured."""
    cells = [HEAD if len(columns) > 1 else HEAD[:2], *[_cells(line, [column[line] for column in columns]) for line in columns[0]]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _cells(line: Line, values: Sequence[float]) -> tuple[str, ...]:
    shown = [f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} {line.unit}" for value in values]
    better = [f"{(values[1] / values[0] if line.cost else values[0] / values[1]):.1f}"] if len(values) > 1 else []
    return (line.what, *shown, *better)


async def _requests(witness: Witness, sizes: Sizes) -> Round:
    async with session_of(endpoint(str(witness.kubeconfig))) as session:
        client = Client(session)
        for name in (NAMESPACE, BESIDE):
            await client(Call("POST", "/api/v1/namespaces", orjson.dumps({"metadata": {"name": name}})))
        await client.rate(CONFIG_MAPS.creates(sizes.objects))
        return {**await _small(client, sizes), **await _watches(client, sizes), **await _large(client, witness, sizes)}


async def _small(client: Client, sizes: Sizes) -> Round:
    calls, among = sizes.calls, sizes.objects
    return {
        GET: await client.rate(CONFIG_MAPS.reads(calls, among)),
        LIST: await client.rate([Call("GET", CONFIG_MAPS.path)] * sizes.lists, at_a_time=1),
        CACHED: await client.rate([Call("GET", f"{CONFIG_MAPS.path}?resourceVersion=0")] * sizes.lists, at_a_time=1),
        CREATE: await client.rate(MORE_CONFIG_MAPS.creates(calls)),
        UPDATE: await client.rate(CONFIG_MAPS.updates(calls, among)),
        PATCH: await client.rate(CONFIG_MAPS.patches(calls, among)),
        PATCH_ALONE: await client.rate(CONFIG_MAPS.patches(calls // 2, among, "alone"), at_a_time=1),
        APPLY: await client.rate(CONFIG_MAPS.applies(calls, among)),
    }


async def _watches(client: Client, sizes: Sizes) -> Round:
    return {
        WATCH: await client.delivered(CONFIG_MAPS, list(CONFIG_MAPS.patches(sizes.calls, sizes.objects, "w")), 1),
        FAN_OUT: await client.delivered(CONFIG_MAPS, list(CONFIG_MAPS.patches(sizes.calls // 2, sizes.objects, "f")), 50),
    }


async def _large(client: Client, witness: Witness, sizes: Sizes) -> Round:
    before = resident(witness)
    created = await client.rate(REPLICA_SETS.creates(sizes.loaded))
    grown = resident(witness) - before
    return {
        CREATE_SET: created,
        LOADED: grown / sizes.loaded * 1000,
        APPLY_SET: await client.rate(REPLICA_SETS.applies(sizes.calls, sizes.loaded)),
    }


def _kubectl(witness: Witness, sizes: Sizes) -> Round:
    words = [binary(), "--kubeconfig", str(witness.kubeconfig), "-n", NAMESPACE, "get", "configmaps"]
    spans = []
    for _ in range(sizes.runs + 1):
        begin = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True, timeout=60, env={"HOME": str(witness.kubeconfig.parent)})
        spans.append(time.perf_counter() - begin)
    return {KUBECTL: median(spans[1:]) * 1000}


if __name__ == "__main__":
    sys.exit(main())
