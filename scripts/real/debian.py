"""Debian's packages and sources through an apt configuration of our own: the machine's is read once and stays as it is."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.real.command import run
from scripts.real.errors import NotObtained

TARGETS = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True, slots=True)
class Apt:
    """An apt whose lists, caches and sources are in `folder`."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "apt.log"

    def download(self, packages: Sequence[str], into: Path) -> None:
        """Download packages, without what they depend on, and unpack them into a folder."""
        self._apt_get(["download", *packages])
        for package in sorted(self._downloads.glob("*.deb")):
            run(["dpkg-deb", "-x", package, into], self.log)
            package.unlink()

    def source(self, package: str, into: Path) -> None:
        """Download the source of a package and unpack it, with Debian's patches, into a folder that is not there yet."""
        self._apt_get(["source", "--download-only", package])
        description = next(self._downloads.glob("*.dsc"), None)
        if description is None:
            raise NotObtained(f"apt-get source {package} brought no .dsc")
        run(["dpkg-source", "--no-check", "-x", description, into], self.log)

    @property
    def _downloads(self) -> Path:
        return self.folder / "downloads"

    def _apt_get(self, words: Sequence[str]) -> None:
        run(["apt-get", "-q", "-y", *words], self.log, cwd=self._downloads, env=self._environment())

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C.UTF-8"}

    def prepare(self) -> "Apt":
        """Write the configuration and fetch the lists."""
        for name in ("downloads", "state/lists/partial", "cache/archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "sources.list").write_text("\n".join(self._sources()) + "\n", encoding="utf-8")
        (self.folder / "apt.conf").write_text(configuration(self.folder), encoding="utf-8")
        self._apt_get(["update"])
        return self

    def _sources(self) -> list[str]:
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "") if Path("/etc/os-release").exists() else ""
        lines = sources(run(["apt-get", "indextargets", "--format", TARGETS], self.log), codename)
        if not lines:
            raise NotObtained("apt is not set up for a release of Debian on this machine")
        return lines


def sources(targets: str, codename: str) -> list[str]:
    """`deb` and `deb-src` lines for Debian's own repositories among apt's index targets."""
    releases = {codename, f"{codename}-updates", f"{codename}-security"} if codename else set()
    rows = {tuple(line.split()[:3]) for line in targets.splitlines() if line.endswith(" Packages")}
    kept = sorted(row for row in rows if len(row) == 3 and row[1] in releases and row[2] == "main")
    option = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    return [f"{kind} {option}{' '.join(row)}" for row in kept for kind in ("deb", "deb-src")]


def configuration(folder: Path) -> str:
    """Everything apt writes goes below `folder`; the machine's list of installed packages is only read."""
    places = {
        "Dir::State": folder / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
    }
    # Downloads run as ourselves: apt's own user may not read a home folder.
    return "".join(f'{name} "{place}";\n' for name, place in places.items()) + 'APT::Sandbox::User "root";\n'
