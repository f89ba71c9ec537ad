"""Faults: which request meets which."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from reconciler_sandbox.githost.faults import Fault, Faults, answer, cut, delay, hold

PUSH = make_mocked_request("POST", "/shop/manifests.git/git-receive-pack")


async def test_a_fault_acts_as_often_as_it_was_asked_to() -> None:
    faults = Faults()
    faults.add(Fault(answer(500), "POST", "*/git-receive-pack", times=2))
    answers = [await faults.meet(PUSH) for _ in range(3)]
    assert [a.status if a else None for a in answers] == [500, 500, None]


async def test_a_fault_waits_for_its_method_path_and_side() -> None:
    faults = Faults()
    faults.add(Fault(answer(500), "GET"))
    faults.add(Fault(answer(501), path="*/pulls"))
    faults.add(Fault(answer(502), after=True))
    assert await faults.meet(PUSH) is None
    reply = await faults.meet(PUSH, after=True)
    assert reply is not None
    assert reply.status == 502


async def test_a_fault_may_stay_until_it_is_cleared() -> None:
    faults = Faults()
    faults.add(Fault(answer(503, headers={"Retry-After": "1"}), times=None))
    assert all([await faults.meet(PUSH) for _ in range(5)])
    faults.clear()
    assert await faults.meet(PUSH) is None


async def test_a_cut_resets_the_connection() -> None:
    class Wire(asyncio.Transport):
        aborted = False

        def abort(self) -> None:
            self.aborted = True

        def get_extra_info(self, name: str, default: object = None) -> object:
            return default

    wire = Wire()
    assert isinstance(await cut()(make_mocked_request("GET", "/", transport=wire)), web.Response)
    assert wire.aborted


async def test_a_held_request_goes_on_once_released() -> None:
    released = asyncio.Event()
    held = asyncio.create_task(hold(released)(PUSH))
    done, _ = await asyncio.wait([held], timeout=0.01)
    assert not done
    released.set()
    assert await held is None
    assert await delay(0.001)(PUSH) is None
