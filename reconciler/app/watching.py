"""Local repositories are looked at when their files change; like every hint, it only pulls a look forward (watchdog)."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from reconciler.model.settings import SourceSettings

DEBOUNCE = 0.3
MEANINGFUL = {"created", "modified", "moved", "deleted", "closed"}


class Watching:
    """Watches the refs of every local (file) repository; `look` is called with the source's name, on the event loop."""

    def __init__(self, sources: Sequence[SourceSettings], look: Callable[[str], None]) -> None:
        self._local = [(source.name, folder) for source in sources if (folder := local_folder(source.repository))]
        self._look = look
        self._pending: dict[str, asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """Watch until cancelled; without local repositories, just wait."""
        observer = Observer()
        loop = asyncio.get_running_loop()
        for name, folder in self._local:
            handler = _Handler(lambda name=name: loop.call_soon_threadsafe(self._soon, name))  # type: ignore[misc]
            observer.schedule(handler, str(folder), recursive=True)
        observer.start()
        try:
            await asyncio.Event().wait()
        finally:
            observer.stop()
            await asyncio.to_thread(observer.join, 2.0)

    def _soon(self, name: str) -> None:
        """Once per burst of events."""
        if name in self._pending:
            self._pending[name].cancel()
        self._pending[name] = asyncio.get_running_loop().call_later(DEBOUNCE, self._look, name)


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
