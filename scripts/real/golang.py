"""Go programs from the module proxy: `modules/NAME/go.mod` says which versions, its `go.sum` vouches for every byte of them."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.real.cache import Piece
from scripts.real.command import run
from scripts.real.errors import NotObtained

MODULES = Path(__file__).with_name("modules")
OLDEST = (1, 25)
NEEDED_MIB = 6000
ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off"}


@dataclass(frozen=True, slots=True)
class Modules:
    """Programs, each by the package that is its command, and the values that their linker is told."""

    name: str
    programs: Mapping[str, str]
    told: Mapping[str, str]
    tags: tuple[str, ...] = ()

    @property
    def piece(self) -> Piece:
        """What comes out is decided by the two files and the words of the build; a newer Go builds nothing anew."""
        files = {file: (MODULES / self.name / file).read_text(encoding="utf-8") for file in ("go.mod", "go.sum")}
        return Piece(self.name, [files, dict(self.programs), self._words(), ENVIRONMENT], tuple(self.programs), self.make)

    def make(self, folder: Path) -> None:
        """Build into `folder`; what was begun before goes on, out of Go's own caches. Raises NotObtained."""
        free = shutil.disk_usage(folder).free >> 20
        if free < NEEDED_MIB:
            raise NotObtained(f"building {self.name} needs {NEEDED_MIB} MiB, {free} MiB are free at {folder}")
        log = folder / "build.log"
        refuse_older(run(["go", "env", "GOVERSION"], log, env=_environment()).strip())
        for program, command in self.programs.items():
            run(["go", *self._words(), "-o", folder / program, command], log, cwd=MODULES / self.name, env=_environment())

    def _words(self) -> list[str]:
        linker = " ".join(["-s -w", *(f"-X={name}={value}" for name, value in sorted(self.told.items()))])
        return ["build", f"-tags={','.join(self.tags)}", f"-ldflags={linker}"]


def refuse_older(version: str) -> None:
    """Raises NotObtained for a Go (`go1.24.3`) that cannot build these modules; a development version can."""
    found = re.match(r"go(\d+)\.(\d+)", version)
    if found and (int(found[1]), int(found[2])) < OLDEST:
        raise NotObtained(f"Go {found[1]}.{found[2]} is on PATH, and {OLDEST[0]}.{OLDEST[1]} or newer is needed")


def _environment() -> dict[str, str]:
    """The caller's own proxy, caches and checksum database; what the build itself depends on is ours."""
    return {**os.environ, **ENVIRONMENT}
