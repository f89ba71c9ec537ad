"""A whole small cluster in one event loop: API server, controllers and a node; or controllers and node beside an API server elsewhere."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, Caller
from reconciler_sandbox.controllers.deployment import DeploymentController
from reconciler_sandbox.controllers.endpoints import EndpointsController
from reconciler_sandbox.controllers.job import JobController
from reconciler_sandbox.controllers.loop import Controller, run
from reconciler_sandbox.controllers.replicaset import ReplicaSetController
from reconciler_sandbox.node.behaviour import Behaviour, Behaviours
from reconciler_sandbox.node.network import Network
from reconciler_sandbox.node.node import Node, NodeSettings
from reconciler_sandbox.node.pace import Pace

START_TIMEOUT = 30.0


class Workings:
    """Controllers and a node over any API server: an async context manager that runs them while it is entered.

    A cluster that has its own controllers (a real one) gets only the node.
    """

    def __init__(self, call: Caller, settings: NodeSettings, *, controllers: bool = True) -> None:
        self.api = ApiClient(call)
        self.node = Node(self.api, settings)
        self.behaviours = settings.behaviours
        self._controllers = built_in(self.api, settings.pace) if controllers else ()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="sandbox")
        started = asyncio.create_task(self.node.started.wait())
        try:
            await asyncio.wait({self._task, started}, timeout=START_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
            if not started.done():
                await self._stop()
                raise RuntimeError("the sandbox's node did not start")
        finally:
            started.cancel()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stop()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(run(self.api, self._controllers), name="controllers")
            group.create_task(self.node.run(), name="node")

    async def _stop(self) -> None:
        """End everything; a failure that stopped the sandbox earlier is raised here."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


class Cluster:
    """A cluster of its own: an async context manager with `api`, `server`, `node` and `behaviours`."""

    def __init__(
        self,
        behaviours: Behaviours | Mapping[str, Behaviour],
        *,
        network: Network | None = None,
        pace: Pace | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """`address` is where the API server also listens for HTTP; port 0 picks a free one."""
        self.behaviours = behaviours if isinstance(behaviours, Behaviours) else Behaviours(behaviours)
        self.server = ApiServer()
        self._address = address
        settings = NodeSettings(behaviours=self.behaviours, network=network or Network(), pace=pace or Pace())
        self._workings = Workings(self.server.call, settings)
        self.server.logs = self._workings.node.stream_log
        self._stack = AsyncExitStack()

    @property
    def api(self) -> ApiClient:
        """A client in process."""
        return self._workings.api

    @property
    def node(self) -> Node:
        """The node that runs the pods."""
        return self._workings.node

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.server.stop)
            await self.server.start(*self._address)
            await stack.enter_async_context(self._workings)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()


def built_in(api: ApiClient, pace: Pace) -> tuple[Controller, ...]:
    """The controllers a cluster needs."""
    return (
        DeploymentController(api),
        ReplicaSetController(api),
        JobController(api, pace.job_backoff),
        EndpointsController(api),
    )
