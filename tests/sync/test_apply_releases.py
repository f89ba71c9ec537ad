"""What the release layer says reaches the pass as data; only writes that are withheld end it."""

from typing import Any

import pytest

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.errors import error_of
from reconciler.kube.fence import Fenced
from reconciler.sync.apply_releases import Opened, Releases


class Opener:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def open(self, *_: Any) -> tuple[str, ...]:
        if isinstance(self.answer, Exception):
            raise self.answer
        found: tuple[str, ...] = self.answer
        return found


async def opened(answer: Any) -> Opened:
    return await Releases(Opener(answer)).open(None, None)  # type: ignore[arg-type]


async def test_workloads_that_cannot_be_judged_are_told() -> None:
    assert await opened(("why",)) == Opened(("why",))


@pytest.mark.parametrize("error", [Transient("no answer"), Terminal("refused"), error_of(404, b'{"details": {"name": "a"}}')])
async def test_what_stops_it_is_a_fact(error: Exception) -> None:
    assert await opened(error) == Opened(failure=str(error))


async def test_withheld_writes_end_the_pass() -> None:
    with pytest.raises(Fenced):
        await opened(Fenced("frozen"))
