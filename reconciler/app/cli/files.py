"""Manifest files from disk, parsed as a source is."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.git.objects import Snapshot
from reconciler.kernel.errors import Terminal
from reconciler.sources.documents import Parsed, manifests_of

LIMIT = 1 << 20
SUFFIXES = (".yaml", ".yml", ".json")


def manifests_at(paths: Iterable[Path]) -> Parsed:
    """All manifests of files and folders. Raises Terminal naming the first file that cannot be used."""
    parsed = manifests_of(Snapshot("", "", contents_at(paths)))
    if parsed.problems:
        raise Terminal("\n".join(str(problem) for problem in parsed.problems))
    return parsed


def contents_at(paths: Iterable[Path]) -> dict[str, bytes]:
    """The bytes of files, and of the manifests in folders, by name. Raises Terminal naming the first that cannot be read."""
    return {str(path): _read(path) for root in paths for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES and path.is_file())
        return
    yield root


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LIMIT:
            raise Terminal(f"{path}: larger than 1 MiB: not read")
        return path.read_bytes()
    except OSError as error:
        raise Terminal(f"{path}: cannot be read: {error.strerror}") from error
