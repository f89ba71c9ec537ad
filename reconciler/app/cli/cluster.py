"""What every command that speaks to a cluster shares: kubectl's options, a client, and what to add to a command to paste."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import wraps
from shlex import quote
from typing import Annotated, Any, Self, TypeVar

import typer

from reconciler.kube.client import Client
from reconciler.kube.fence import Fence
from reconciler.kube.transport import Request, Response, Transport

Answer = TypeVar("Answer")
Kubeconfig = Annotated[str, typer.Option("--kubeconfig", help="a kubeconfig file; default: $KUBECONFIG or ~/.kube/config")]
Context = Annotated[str, typer.Option("--context", help="a context of the kubeconfig; default: its current one")]
Namespace = Annotated[str, typer.Option("-n", "--namespace", help="the namespace; default: that of the context")]
Everywhere = Annotated[bool, typer.Option("-A", "--all-namespaces", help="in every namespace")]
NAMESPACE = ("namespace", Namespace, "")
EVERYWHERE = ("all_namespaces", Everywhere, False)
OPTIONS = (("context", Context, ""), ("kubeconfig", Kubeconfig, ""))


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """Which cluster and namespace a command speaks to; an empty namespace means all of them."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""

    @property
    def flags(self) -> str:
        """What a command needs beside its namespace to be pasted and mean the same cluster."""
        return f" --context {quote(self.context)}" if self.context else ""


Command = Callable[..., None]


def located(command: Command) -> Command:
    """The command with `-n`, `--context` and `--kubeconfig` where it asks for a `place`."""
    return _with_options(command, (NAMESPACE, *OPTIONS))


def located_anywhere(command: Command) -> Command:
    """The same for lists, which may also be of every namespace (`-A`)."""
    return _with_options(command, (NAMESPACE, EVERYWHERE, *OPTIONS))


def _with_options(command: Command, options: tuple[tuple[str, Any, Any], ...]) -> Command:
    own = [parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "place"]
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=kind) for name, kind, value in options]

    @wraps(command)
    def placed(**given: Any) -> None:
        asked = {name: given.pop(name) for name, _, _ in options}
        place = ClusterPlace(asked["kubeconfig"], asked["context"], asked["namespace"])
        command(place=place if asked.get("all_namespaces") else settled(place), **given)

    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    vars(placed)["__signature__"] = inspect.Signature([*keyword, *more])
    placed.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *more)}
    return placed


def settled(place: ClusterPlace) -> ClusterPlace:
    """The place with its namespace known, as kubectl finds it."""
    if place.namespace:
        return place
    from reconciler.kube.config import namespace_of_context

    return replace(place, namespace=namespace_of_context(place.kubeconfig or None, place.context or None))


@asynccontextmanager
async def cluster(place: ClusterPlace) -> AsyncIterator[Client]:
    """A client for one command's time. HTTP is imported only here: most commands' start is not worth its weight."""
    from reconciler.kube.config import endpoint
    from reconciler.kube.http import HttpTransport

    async with HttpTransport(endpoint(place.kubeconfig or None, place.context or None)) as transport:
        yield Client(transport, Fence())


class LateTransport:
    """Finds the cluster when it is first asked: a command that can do without one needs none. Use it as `async with`."""

    def __init__(self, place: ClusterPlace) -> None:
        self._place = place
        self._found: Transport | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        from reconciler.kube.config import endpoint
        from reconciler.kube.http import HttpTransport

        if self._found is None:
            where = endpoint(self._place.kubeconfig or None, self._place.context or None)
            self._found = await self._stack.enter_async_context(HttpTransport(where))
        async with self._found.open(request) as response:
            yield response


@dataclass(slots=True)
class KeptResponse:
    """One answer that was read to its end, to be read again."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    async def read(self) -> bytes:
        return self.body

    async def lines(self) -> AsyncIterator[bytes]:
        for line in self.body.splitlines():
            yield line


class SecretsOnce:
    """Reads each Secret once for one command's time: a replay asks for the same one at every moment of the past."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._kept: dict[str, KeptResponse] = {}

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Response]:
        reading = request.method == "GET" and "/secrets/" in request.path
        kept = self._kept.get(request.path)
        if reading and kept is not None:
            yield kept
            return
        async with self._transport.open(request) as response:
            if not reading or response.status != 200:
                yield response
                return
            self._kept[request.path] = KeptResponse(response.status, response.headers, await response.read())
            yield self._kept[request.path]


def ask(place: ClusterPlace, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
    """Run one question against a cluster."""

    async def asked() -> Answer:
        async with cluster(place) as client:
            return await question(client)

    return asyncio.run(asked())
