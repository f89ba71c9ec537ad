"""What must be true before anything is written."""

import pytest

from reconciler.kernel.errors import Transient
from reconciler.kube.fence import Fence, Fenced, Gate, read_only


def test_an_empty_fence_lets_everything_pass() -> None:
    Fence().check("PUT /x")


def test_the_first_shut_gate_says_why() -> None:
    fence = Fence(Gate(lambda: None), Gate(lambda: "frozen"), Gate(lambda: "never asked"))
    with pytest.raises(Fenced, match="PUT /x withheld: frozen"):
        fence.check("PUT /x")


def test_a_gate_is_asked_at_each_write() -> None:
    answers = iter([None, "shut"])
    fence = Fence(Gate(lambda: next(answers)))
    fence.check("one")
    with pytest.raises(Fenced):
        fence.check("two")


def test_a_withheld_write_is_asked_for_again() -> None:
    with pytest.raises(Transient, match="--read-only"):
        Fence(read_only()).check("POST /x")
