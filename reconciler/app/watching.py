"""Files that change are looked at: local repositories, local policies, our own settings. A hint only pulls a look forward (watchdog)."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from reconciler.kernel.unusable import reason_of
from reconciler.sources.settings import SourceSettings

DEBOUNCE = 0.3
MEANINGFUL = {"created", "modified", "moved", "deleted", "closed"}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Watched:
    """One folder, and what its changes are called."""

    name: str
    folder: Path
    recursive: bool


class Folders:
    """Watches folders; `look` is called with the name of what changed, on the event loop, once per burst of events."""

    def __init__(self, folders: Sequence[Watched], look: Callable[[str], None]) -> None:
        self._folders = folders
        self._look = look
        self._pending: dict[str, asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """Watch until cancelled. A folder that cannot be watched is not: hints are never relied upon."""
        observer = Observer()
        loop = asyncio.get_running_loop()
        observer.start()
        for watched in self._folders:
            handler = _Handler(lambda name=watched.name: loop.call_soon_threadsafe(self._soon, name))  # type: ignore[misc]
            try:
                observer.schedule(handler, str(watched.folder), recursive=watched.recursive)
            except OSError as error:
                log.warning("folder is not watched", folder=str(watched.folder), reason=reason_of(error))
        try:
            await asyncio.Event().wait()
        finally:
            observer.stop()
            await asyncio.to_thread(observer.join, 2.0)

    def _soon(self, name: str) -> None:
        if name in self._pending:
            self._pending[name].cancel()
        self._pending[name] = asyncio.get_running_loop().call_later(DEBOUNCE, self._look, name)


class Watching:
    """Watches the refs of every local (file) repository; `look` is called with the source's name."""

    def __init__(self, sources: Sequence[SourceSettings], look: Callable[[str], None]) -> None:
        local = [Watched(s.name, folder, recursive=True) for s in sources if (folder := local_folder(s.repository))]
        self._folders = Folders(local, look)

    async def run(self) -> None:
        """Watch until cancelled; without local repositories, just wait."""
        await self._folders.run()


class SettingsFile:
    """Says that a changed `reconciler.yaml` is not in use yet: what a daemon may write is never changed under its hands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._used = self._known = _digest(path)

    async def run(self) -> None:
        """Watch until cancelled."""
        await Folders([Watched("settings", self._path.absolute().parent, recursive=False)], self._look).run()

    def _look(self, _: str) -> None:
        found = _digest(self._path)
        if found == self._known:
            return
        self._known = found
        if found != self._used:
            log.warning("settings changed: restart to use them", file=str(self._path))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


class _Handler(FileSystemEventHandler):
    """Reading a file raises events too (opened, closed_no_write): only changes count."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in MEANINGFUL:
            self._changed()


def local_folder(repository: str) -> Path | None:
    """The folder whose changes mean a push: `refs` of a bare repository, `.git/refs` of a checkout; None for remote ones."""
    path = repository.removeprefix("file://")
    if not path.startswith("/"):
        return None
    for folder in (Path(path) / "refs", Path(path) / ".git" / "refs"):
        if folder.is_dir():
            return folder
    return None
