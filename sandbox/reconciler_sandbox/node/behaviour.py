"""What an image does once it runs: a table from image references to behaviours that may change at any time."""

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a container of an image behaves. Rates are shares of requests between 0 and 1, times are seconds.

    `error_rate_by_path` overrides `error_rate` for the longest matching path prefix. `errors_after_requests` keeps the first
    requests free of errors; after them `error_rate` applies, or every request fails when it is 0. With `grpc_error` a failing
    request is answered as HTTP 200 with grpc-status 13; without any other rate every request is. `exits` makes the image a
    program that ends by itself with this code instead of a server. Readiness probes see errors only through `error_rate_by_path`.
    """

    version: str
    error_rate: float = 0.0
    latency: float = 0.0
    ready_after: float = 0.0
    crash: bool = False
    hang: bool = False
    grpc_error: bool = False
    error_rate_by_path: Mapping[str, float] = field(default_factory=dict)
    errors_after_requests: int | None = None
    error_status: int = 500
    exits: int | None = None
    digest: str = ""


class Behaviours(MutableMapping[str, Behaviour]):
    """Behaviours by image; spellings of one image (`docker.io/library/x`, `x:latest`, `x`) are one entry.

    An image that is missing cannot be pulled. Change the table only on the event loop that runs the pods.
    """

    def __init__(self, table: Mapping[str, Behaviour] | None = None) -> None:
        self._table = {normalised(image): behaviour for image, behaviour in (table or {}).items()}
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Wait until an entry changes."""
        await self._changed.wait()

    def __getitem__(self, image: str) -> Behaviour:
        for spelling in _spellings(normalised(image)):
            if spelling in self._table:
                return self._table[spelling]
        raise KeyError(image)

    def __setitem__(self, image: str, behaviour: Behaviour) -> None:
        self._table[normalised(image)] = behaviour
        self._notify()

    def __delitem__(self, image: str) -> None:
        del self._table[normalised(image)]
        self._notify()

    def _notify(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def digest(self, image: str) -> str:
        """The digest an image resolves to: its own, the table's, or one derived from its name."""
        if "@" in image:
            return image.split("@", 1)[1]
        behaviour = self.get(image)
        if behaviour is not None and behaviour.digest:
            return behaviour.digest
        return "sha256:" + hashlib.sha256(normalised(image).encode()).hexdigest()


class ErrorPattern:
    """Which requests of one container fail: exactly the asked share, evenly spread, the same at every run of the same name."""

    def __init__(self, seed: str) -> None:
        self._offset = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
        self._asked: Counter[str] = Counter()
        self._total = 0

    def next_fails(self, behaviour: Behaviour, path: str) -> bool:
        """Whether the next request on this path fails."""
        rule = _rule(behaviour, path)
        self._total += 1
        if behaviour.errors_after_requests is not None and self._total <= behaviour.errors_after_requests:
            return False
        self._asked[rule] += 1
        rate = behaviour.error_rate_by_path[rule] if rule else _general_rate(behaviour)
        number = self._asked[rule]
        return math.floor(number * rate + self._offset) > math.floor((number - 1) * rate + self._offset)


def _rule(behaviour: Behaviour, path: str) -> str:
    return max((prefix for prefix in behaviour.error_rate_by_path if path.startswith(prefix)), key=len, default="")


def _general_rate(behaviour: Behaviour) -> float:
    only_switch = behaviour.errors_after_requests is not None or behaviour.grpc_error
    return 1.0 if only_switch and behaviour.error_rate == 0 else behaviour.error_rate


def normalised(image: str) -> str:
    """One spelling for an image reference: no default registry, an explicit tag unless there is a digest."""
    name = image.removeprefix("docker.io/").removeprefix("library/")
    last = name.rsplit("/", 1)[-1]
    return name if "@" in name or ":" in last else f"{name}:latest"


def repository_of(image: str) -> str:
    """The reference without tag and digest."""
    name = image.split("@", 1)[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.split(":", 1)[0]


def _spellings(image: str) -> Iterator[str]:
    yield image
    if "@" in image:
        name, digest = image.split("@", 1)
        yield normalised(name)
        yield f"{repository_of(image)}@{digest}"
