"""What the real tier is obtained from, and that doing so leaves the machine's own configuration alone."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.real.__main__ import NOT_RUN, main
from scripts.real.binaries import control_plane, kubeconfig
from scripts.real.cache import Piece
from scripts.real.command import run
from scripts.real.debian import configuration, sources
from scripts.real.errors import NotObtained

TARGETS = """http://mirror.example/debian/ trixie main Packages
http://mirror.example/debian/ trixie main Translations
http://mirror.example/debian/ trixie contrib Packages
http://mirror.example/security/ trixie-security main Packages
http://vendor.example/apt/ stable main Packages
"""


def quiet(text: str) -> None:
    """Nobody listens."""


def test_sources_come_from_debian_alone() -> None:
    lines = sources(TARGETS, "trixie")
    assert [line.split()[0] for line in lines] == ["deb", "deb-src", "deb", "deb-src"]
    assert all("mirror.example" in line and line.endswith(" main") for line in lines)
    assert sources(TARGETS, "") == []


def test_whatever_apt_writes_goes_into_its_own_folder(tmp_path: Path) -> None:
    places = dict(line.rstrip(";").replace('"', "").split(" ", 1) for line in configuration(tmp_path).splitlines())
    own = {name for name, place in places.items() if place.startswith(str(tmp_path))}
    assert own == {"Dir::State", "Dir::Cache", "Dir::Etc::sourcelist"}
    assert places["Dir::Etc::sourceparts"] == "-"


def test_a_piece_is_made_once_for_each_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_REAL_CACHE", str(tmp_path))
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "program").touch()

    first = Piece("thing", "one", ("program",), make)
    assert not first.complete
    assert first.obtain(quiet) == first.obtain(quiet)
    assert first.complete and len(made) == 1
    assert Piece("thing", "two", ("program",), make).folder != first.folder


def test_a_piece_that_did_not_come_out_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_REAL_CACHE", str(tmp_path))
    piece = Piece("thing", "one", ("program",), lambda folder: None)
    with pytest.raises(NotObtained, match="program did not come out"):
        piece.obtain(quiet)
    assert not piece.complete


def test_a_failing_program_is_told_by_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(NotObtained, match="sh -c failed with 3: no luck"):
        run(["sh", "-c", "echo first >&2; echo no luck >&2; exit 3"], tmp_path / "log")
    with pytest.raises(NotObtained, match="no-such-program is not installed"):
        run(["no-such-program"], tmp_path / "log")


def test_being_late_ends_a_build_with_all_that_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with pytest.raises(NotObtained, match=r"did not end within 1 s"):
        run(["sh", "-c", f"sleep 300 & echo $! > {started}; wait"], tmp_path / "log", longest=1.0)
    compiler = int(started.read_text())
    deadline = time.monotonic() + 30
    while _runs(compiler):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_is_not_obtained_in_time_is_one_line_and_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def slowly(_: Callable[[str], None]) -> None:
        run(["sleep", "300"], tmp_path / "log")

    assert main(["1"], slowly) == NOT_RUN
    assert capsys.readouterr().out == "REAL TIER NOT RUN: it was not obtained within 1 s\n"


def test_programs_of_somebody_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(NotObtained, match="etcd is not a program"):
        control_plane()
    for name in ("etcd", "kube-apiserver"):
        (tmp_path / name).touch(mode=0o755)
    found = control_plane()
    assert found.apiserver == tmp_path / "kube-apiserver" and found.controller_manager is None


def test_a_cluster_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_REAL_KUBECONFIG", "/nowhere/config")
    with pytest.raises(NotObtained, match="no such file"):
        kubeconfig()
