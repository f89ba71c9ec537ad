"""Manifest files from disk, rendered as a source is."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reconciler.app.cli.offline.folders import local_folder, rendered_folder
from reconciler.git.objects import Hides, Snapshot, SourceProblem
from reconciler.git.tree import POINTER, SUFFIXES, UNRENDERED, written_for_a_tool
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.renderers.helm_lock import CHART
from reconciler.renderers.jsonnet_closure import ENTRY
from reconciler.renderers.kustomize_closure import MARKERS
from reconciler.renderers.plain import rendered
from reconciler.sources.documents import Parsed, joined
from reconciler.sources.renderer import RenderOptions
from reconciler.sources.settings import SourceSettings

LIMIT = 1 << 20


def options_of(namespace: str, exclude: Iterable[str]) -> RenderOptions:
    """What a source would say with `namespace` and `exclude`. Files are named as typed, so a path may begin anywhere in a name."""
    globs = tuple(glob if "/" not in glob.strip("/") else f"**/{glob.removeprefix('./').lstrip('/')}" for glob in exclude)
    return RenderOptions(namespace=namespace, exclude=globs)


def manifests_at(paths: Iterable[Path], options: RenderOptions, sources: Sequence[SourceSettings] = ()) -> Parsed:
    """All manifests of files and folders. Raises Terminal naming the first file that cannot be used."""
    rest, folders = apart(paths, sources)
    parsed = joined(rendered(snapshot_at(rest), None, options), *made_from(folders, options, sources))
    if parsed.problems:
        raise Terminal("\n".join(str(problem) for problem in parsed.problems))
    return parsed


def apart(paths: Iterable[Path], sources: Sequence[SourceSettings] = ()) -> tuple[list[Path], list[Path]]:
    """What is read as it is, and the folders that are rendered: by what lies in them, and all where sources are known."""
    known = list(paths)
    folders = [path for path in known if path.is_dir() and (sources or _is_rendered(path))]
    return [path for path in known if path not in folders], folders


def _is_rendered(folder: Path) -> bool:
    """True for a folder that a source would render, by what lies in it."""
    return any((folder / marker).is_file() for marker in (*MARKERS, CHART)) or any(folder.rglob(f"*{ENTRY}"))


def made_from(folders: Iterable[Path], options: RenderOptions, sources: Sequence[SourceSettings] = ()) -> list[Parsed]:
    """What each folder is rendered to; its files are named from the root of its repository, or else from here."""
    return [rendered_folder(local_folder(folder, options, sources)).parsed for folder in folders]


def snapshot_at(paths: Iterable[Path]) -> Snapshot:
    """Files and the manifests in folders, as a source at a commit has them. Raises Terminal naming the first that cannot be read."""
    found = [path for root in paths for path in _files(root)]
    told = {str(path): problem for path in found if (problem := _unused(path))}
    files = {str(path): _read(path) for path in found if str(path) not in told}
    pointers = {name for name, content in files.items() if content.startswith(POINTER)}
    problems = [
        SourceProblem(name, 1, "a Git LFS pointer instead of a manifest", "commit the manifest itself") for name in sorted(pointers)
    ]
    return Snapshot("", "", {name: content for name, content in files.items() if name not in pointers}, (*told.values(), *problems))


def _files(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        yield root
        return
    yield from sorted(path for path in root.rglob("*") if path.suffix in (*SUFFIXES, *UNRENDERED) and (path.is_file() or path.is_symlink()))


def _unused(path: Path) -> SourceProblem | None:
    """What a source would not read of this file, too."""
    if path.is_symlink():
        remedy = "links are not followed: commit the file itself if it holds manifests"
        return SourceProblem(str(path), 0, "a symbolic link", remedy, Hides.ITSELF, note=path.suffix not in SUFFIXES)
    return written_for_a_tool(str(path))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LIMIT:
            raise Terminal(f"{path}: larger than 1 MiB: not read")
        return path.read_bytes()
    except OSError as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; name a file or folder that can") from error
