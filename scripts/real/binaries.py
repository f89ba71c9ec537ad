"""Which real programs to use: those somebody names, else those of the cache."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.real.cache import Piece
from scripts.real.errors import NotObtained
from scripts.real.etcd import ETCD
from scripts.real.etcd import PROGRAM as ETCD_PROGRAM
from scripts.real.helm import HELM
from scripts.real.helm import PROGRAM as HELM_PROGRAM
from scripts.real.kubernetes import KUBERNETES
from scripts.real.prometheus import PROGRAM as PROMETHEUS_PROGRAM
from scripts.real.prometheus import PROMETHEUS

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
KUBECONFIG_VARIABLE = "RECONCILER_REAL_KUBECONFIG"
HELM_VARIABLE = "RECONCILER_REAL_HELM"
PROMETHEUS_VARIABLE = "RECONCILER_REAL_PROMETHEUS"
Find = Callable[[Piece], Path]


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Programs of one control plane; `controller_manager` may be missing among somebody's own."""

    etcd: Path
    apiserver: Path
    controller_manager: Path | None


def cached(piece: Piece) -> Path:
    """The folder of a piece that was obtained before. Raises NotObtained."""
    if not piece.complete:
        raise NotObtained(f"{piece.name} is not in {piece.folder.parent}; `python -m scripts.real` obtains it or says why not")
    return piece.folder


def control_plane(find: Find = cached) -> ControlPlane:
    """$KUBEBUILDER_ASSETS's programs, else ours. Raises NotObtained."""
    assets = os.environ.get(ASSETS_VARIABLE, "")
    if assets:
        return _given(Path(assets))
    kubernetes, etcd = find(KUBERNETES), find(ETCD)
    return ControlPlane(etcd / ETCD_PROGRAM, kubernetes / "kube-apiserver", kubernetes / "kube-controller-manager")


def prometheus(find: Find = cached) -> Path:
    """$RECONCILER_REAL_PROMETHEUS, else ours. Raises NotObtained."""
    given = os.environ.get(PROMETHEUS_VARIABLE, "")
    if given:
        return _program(Path(given))
    return find(PROMETHEUS) / PROMETHEUS_PROGRAM


def helm(find: Find = cached) -> Path:
    """$RECONCILER_REAL_HELM, else ours. Raises NotObtained."""
    given = os.environ.get(HELM_VARIABLE, "")
    return _program(Path(given)) if given else find(HELM) / HELM_PROGRAM


def kubeconfig() -> Path | None:
    """The disposable cluster somebody names, if any. Raises NotObtained when its file is not there."""
    given = os.environ.get(KUBECONFIG_VARIABLE, "")
    if given and not Path(given).is_file():
        raise NotObtained(f"{KUBECONFIG_VARIABLE}={given}: no such file")
    return Path(given) if given else None


def _given(assets: Path) -> ControlPlane:
    manager = assets / "kube-controller-manager"
    return ControlPlane(_program(assets / "etcd"), _program(assets / "kube-apiserver"), manager if manager.is_file() else None)


def _program(path: Path) -> Path:
    if not os.access(path, os.X_OK):
        raise NotObtained(f"{path} is not a program")
    return path
