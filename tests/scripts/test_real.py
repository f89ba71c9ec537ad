"""What the real tier is obtained from, and that doing so leaves the machine's own configuration alone."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.real.__main__ import NOT_RUN, main
from scripts.real.binaries import control_plane, kubeconfig
from scripts.real.cache import Piece
from scripts.real.command import run
from scripts.real.errors import NotObtained
from scripts.real.golang import MODULES, Modules, refuse_older
from scripts.real.kubernetes import VERSION


def quiet(text: str) -> None:
    """Nobody listens."""


@pytest.mark.parametrize("version", ["go1.24.13", "go1.9"])
def test_an_older_go_is_one_line(version: str) -> None:
    with pytest.raises(NotObtained, match=r"^Go 1\.\d+ is on PATH, and 1\.25 or newer is needed$"):
        refuse_older(version)


@pytest.mark.parametrize("version", ["go1.25.0", "go1.26.8", "go2.0", "devel go1.27-abcdef"])
def test_a_newer_go_will_do(version: str) -> None:
    refuse_older(version)


def test_without_go_nothing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotObtained, match="go is not installed"):
        Modules("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}, {}).make(tmp_path)


def test_other_words_for_the_linker_are_another_piece() -> None:
    first, second = (Modules("etcd", {"etcd": "e"}, {"v": version}).piece for version in ("1", "2"))
    assert first.folder != second.folder and first.files == ("etcd",)


def test_the_modules_beside_kubernetes_are_of_its_release() -> None:
    pinned = (MODULES / "kubernetes" / "go.mod").read_text(encoding="utf-8")
    [minor] = set(re.findall(r"k8s\.io/kubernetes v1\.(\S+)", pinned))
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) v0\.(\S+)$", pinned, re.MULTILINE)
    assert len(replaced) > 20 and all(old == new and version == minor for old, new, version in replaced)
    assert f"v1.{minor}" == VERSION


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
