"""An event loop whose time jumps: when everything waits, it is at once the moment of the next timer.

It owns no selector and no socket. What would leave the process (connections, listeners, subprocesses, signals) raises, and work for
threads is done in place: so the same program with the same seed does the same things in the same order.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RESOLUTION = 1e-6
ROUND = 1e-5
"""Seconds that one round of the loop takes: a machine on which nothing takes time would wait for ever for the next microsecond."""
MOST_ROUNDS = 100_000
"""Rounds of the loop in which nobody waits: more of them never end."""
Outcome = TypeVar("Outcome")


class OutsideWorld(RuntimeError):
    """Something under virtual time reached for the real world."""


class Standstill(RuntimeError):
    """Everything waits and no timer is set, or the same instant never ends."""


class JumpingSelector:
    """Stands where a loop asks for input: there never is any, so the time asked for is over at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self._rounds = 0

    def select(self, timeout: float | None) -> Sequence[Any]:
        """Let `timeout` seconds pass. Raises Standstill when nothing could ever happen again."""
        if timeout is None:
            raise Standstill("everything waits, and no timer is set")
        if timeout > 0:
            self.now += timeout
            self._rounds = 0
            return ()
        self.now += ROUND
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            self._rounds = 0  # what is cancelled now needs rounds of its own
            raise Standstill(f"{MOST_ROUNDS} rounds until {self.now:.3f} s in which nobody waits: time does not go on")
        return ()

    def close(self) -> None:
        """Nothing is held."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs tasks under virtual time, which begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = JumpingSelector()
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._selector.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Done in place: threads would decide by themselves which of them comes first."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _process_events(self, event_list: Sequence[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody needs to be woken."""

    async def create_connection(self, *_: Any, **__: Any) -> NoReturn:
        """No connection leaves this process."""
        raise OutsideWorld("a connection")

    async def create_server(self, *_: Any, **__: Any) -> NoReturn:
        """Nobody listens."""
        raise OutsideWorld("a server")

    async def getaddrinfo(self, *_: Any, **__: Any) -> NoReturn:
        """No name is looked up."""
        raise OutsideWorld("a look-up of an address")

    async def subprocess_exec(self, *_: Any, **__: Any) -> NoReturn:
        """No process is started. Signals and waits for sockets are refused by the loop this one is made from."""
        raise OutsideWorld("a process")


def run_virtually(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run to the end in a loop of its own. Raises what the work raises, and Standstill."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def virtual_now() -> datetime:
    """The moment in a virtual loop: its beginning is a Monday morning."""
    return BEGINNING + timedelta(seconds=asyncio.get_running_loop().time())
