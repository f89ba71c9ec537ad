"""The table of two servers at tiny sizes: what is measured, and how it is told."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import witness
from benchmarks.witness import Line, Sizes, medians, one_round, table
from benchmarks.witnesses import Sandbox, Witness
from scripts.real.binaries import ControlPlane
from scripts.real.errors import NotObtained
from tests.kit.kubectl import binary

TINY = Sizes(objects=3, calls=4, lists=2, loaded=3, runs=1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory of a process is read from /proc")
@pytest.mark.skipif(not binary(), reason="no kubectl on this machine")
def test_a_round_measures_every_line() -> None:
    found = one_round(Sandbox, TINY)
    assert set(found) == {line for line in vars(witness).values() if isinstance(line, Line)}
    assert all(value > 0 for line, value in found.items() if line is not witness.LOADED)  # three objects may fit into what is there


def test_a_table_says_how_many_times_better_the_sandbox_is() -> None:
    rate, cost = Line("get", "/s"), Line("start", "s", cost=True)
    rounds = [{rate: 900.0, cost: 0.5}, {rate: 3000.0, cost: 0.25}, {rate: 2400.0, cost: 0.75}]
    sandbox, real = medians(rounds), {rate: 1200.0, cost: 4.0}
    assert [line.split() for line in table([sandbox, real])[1:]] == [
        ["get", "2,400", "/s", "1,200", "/s", "2.0"],
        ["start", "0.50", "s", "4.00", "s", "8.0"],
    ]
    assert [line.split() for line in table([sandbox])] == [["what", "sandbox"], ["get", "2,400", "/s"], ["start", "0.50", "s"]]


def test_without_a_real_server_its_column_is_missing_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    def none() -> ControlPlane:
        raise NotObtained("no network")

    def measured(maker: Callable[[Path], Witness], sizes: Sizes) -> dict[Line, float]:
        assert maker(Path("folder")).kubeconfig.name == "kubeconfig"
        return {witness.GET: 1.0}

    assert witness.main(none, measured) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["REAL TIER NOT RUN: no network", "what  sandbox"]
