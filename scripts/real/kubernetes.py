"""kube-apiserver and kube-controller-manager 1.20.2, built from Debian's source package with Debian's Go."""

import platform
import shutil
from pathlib import Path

from scripts.real.cache import Piece
from scripts.real.command import run
from scripts.real.debian import Apt
from scripts.real.errors import NotObtained

PROGRAMS = ("kube-apiserver", "kube-controller-manager")
GO = ("golang-1.19-go", "golang-1.19-src")
GO_ROOT = "usr/lib/go-1.19"
# The vendored one reads maps as Go before 1.18 laid them out: the first custom resource would crash the server.
REFLECT = "golang-github-modern-go-reflect2-dev"
REFLECT_PATH = "github.com/modern-go/reflect2"
VERSION = """KUBE_GIT_COMMIT='debian'
KUBE_GIT_TREE_STATE='clean'
KUBE_GIT_VERSION='v1.20.2'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='20'
"""
# The build only copies its own binaries with `rsync -pc FILE FOLDER`.
RSYNC = '#!/bin/sh\nexec cp -p "$2" "$3"\n'
ENVIRONMENT = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOFLAGS": "", "GOPROXY": "off", "LC_ALL": "C.UTF-8"}
NEEDED_MIB = 6000


def make(folder: Path) -> None:
    """Build in `folder`, leave only the two programs. Raises NotObtained."""
    free = shutil.disk_usage(folder).free >> 20
    if free < NEEDED_MIB:
        raise NotObtained(f"building Kubernetes needs {NEEDED_MIB} MiB, {free} MiB are free at {folder}")
    work = folder / "build"
    work.mkdir()
    tree = _unpack(work)
    _build(work, tree)
    for program in PROGRAMS:
        shutil.copy2(tree / "_output/bin" / program, folder / program)
    shutil.rmtree(work)


def _unpack(work: Path) -> Path:
    """The sources as a GOPATH wants them, and the Go to build them with."""
    apt = Apt(work / "apt").prepare()
    apt.download([*GO, REFLECT], work / "packages")
    tree = work / "gopath/src/k8s.io/kubernetes"
    tree.parent.mkdir(parents=True)
    apt.source("kubernetes", tree)
    vendored = tree / "vendor" / REFLECT_PATH
    shutil.rmtree(vendored)
    shutil.copytree(work / "packages/usr/share/gocode/src" / REFLECT_PATH, vendored)
    return tree


def _build(work: Path, tree: Path) -> None:
    tools = work / "tools"
    tools.mkdir()
    (tools / "rsync").write_text(RSYNC, encoding="utf-8")
    (tools / "rsync").chmod(0o755)
    (work / "version").write_text(VERSION, encoding="utf-8")
    go = work / "packages" / GO_ROOT
    places = {"HOME": work, "GOROOT": go, "GOPATH": work / "gopath", "GOCACHE": work / "gocache", "KUBE_GIT_VERSION_FILE": work / "version"}
    environment = {**ENVIRONMENT, **{name: str(place) for name, place in places.items()}, "PATH": f"{tools}:{go}/bin:/usr/bin:/bin"}
    targets = " ".join(f"cmd/{program}" for program in PROGRAMS)
    run(["make", f"WHAT={targets}"], work / "build.log", cwd=tree, env=environment)


KUBERNETES = Piece(
    "kubernetes",
    [PROGRAMS, GO, REFLECT, VERSION, RSYNC, ENVIRONMENT],
    PROGRAMS,
    make if platform.system() == "Linux" else lambda _: None,
)
