"""Where what was obtained is kept: outside the tree, one folder for each piece and recipe, complete or not there."""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.real.errors import NotObtained

ROOT_VARIABLE = "RECONCILER_REAL_CACHE"


def root() -> Path:
    """$RECONCILER_REAL_CACHE, else ~/.cache/reconciler-real."""
    named = os.environ.get(ROOT_VARIABLE, "")
    return Path(named) if named else Path("~/.cache/reconciler-real").expanduser()


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to obtain: `make` fills an empty folder, `recipe` is all that decides what comes out of it."""

    name: str
    recipe: Any
    files: tuple[str, ...]
    make: Callable[[Path], None]

    @property
    def folder(self) -> Path:
        """The same recipe on the same kind of machine has the same folder."""
        written = json.dumps([self.recipe, platform.system(), platform.machine()], sort_keys=True)
        return root() / f"{self.name}-{hashlib.sha256(written.encode()).hexdigest()[:16]}"

    @property
    def complete(self) -> bool:
        return all((self.folder / file).is_file() for file in self.files)

    def obtain(self, say: Callable[[str], None]) -> Path:
        """The folder with all files, made now if it is not there; two callers at once make it once. Raises NotObtained."""
        try:
            root().mkdir(parents=True, exist_ok=True)
            with _alone(root() / f"{self.folder.name}.lock"):
                if not self.complete:
                    say(f"obtaining {self.name} into {self.folder}")
                    self._make()
        except OSError as error:
            raise NotObtained(f"{self.name}: {error}") from error
        return self.folder

    def _make(self) -> None:
        """Made under another name: a folder that is there is complete."""
        unfinished = self.folder.with_suffix(".unfinished")
        for left_over in (unfinished, self.folder):
            shutil.rmtree(left_over, ignore_errors=True)
        unfinished.mkdir()
        self.make(unfinished)
        missing = [file for file in self.files if not (unfinished / file).is_file()]
        if missing:
            raise NotObtained(f"{self.name}: {', '.join(missing)} did not come out; see {unfinished}")
        unfinished.rename(self.folder)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
