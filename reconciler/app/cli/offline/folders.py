"""A folder on this disk, rendered as a source that follows it would be: the same renderer, the same files, the same limits."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.git.objects import Snapshot, SourceProblem
from reconciler.git.tree import ALSO_READ, LARGEST_FILE, LARGEST_SNAPSHOT, MOST_FILES, SUFFIXES, folder_of, stands_for
from reconciler.kernel.errors import Terminal
from reconciler.kernel.unusable import reason_of
from reconciler.renderers.registry import renderer
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import RenderOptions, render_options
from reconciler.sources.settings import SourceSettings

GIT = ".git"


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """One folder, how it is rendered, and the root of its repository, from which its files are named."""

    root: Path
    renderer: str
    options: RenderOptions

    @property
    def path(self) -> str:
        """As a source names it."""
        return self.options.path or "."


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a folder is rendered to, and the files that were read for it."""

    files: Snapshot
    parsed: Parsed


def local_folder(folder: Path, options: RenderOptions, sources: Sequence[SourceSettings] = ()) -> LocalFolder:
    """The folder as the one source of settings says that follows it, else as `options` say. Raises Terminal."""
    place = folder.resolve()
    root = _root_of(place)
    path = place.relative_to(root).as_posix()
    known = replace(options, path="" if path == "." else path)
    if not sources:
        return LocalFolder(root, "", replace(known, exclude=()))
    source = _source_at(known.path, sources)
    asked = render_options(source)
    return LocalFolder(root, source.renderer, replace(asked, namespace=asked.namespace or options.namespace))


def rendered_folder(place: LocalFolder) -> Rendered:
    """The folder's objects. Raises Terminal for a folder that is larger than a source may be."""
    return asyncio.run(_rendered(place))


def rendered_with(place: LocalFolder, files: Mapping[str, bytes]) -> Parsed:
    """What these files are rendered to, which are all there are."""

    async def made() -> Parsed:
        found, known = renderer(place.renderer, place.options), Snapshot("", "", files)
        while names := found.missing(known):
            known = replace(known, absent=known.absent | set(names))
        return await found.render(known)

    return asyncio.run(made())


async def _rendered(place: LocalFolder) -> Rendered:
    found = renderer(place.renderer, place.options)
    files = Snapshot("", "", {})
    files = _with(files, place.root, [path.relative_to(place.root).as_posix() for path in _manifests(place.root / place.path)])
    while names := found.missing(files):
        files = _with(files, place.root, names)
    return Rendered(files, await found.render(files))


def _root_of(place: Path) -> Path:
    """The repository's root: the nearest folder with `.git`, else where we are, else the folder above."""
    found = next((folder for folder in (place, *place.parents) if (folder / GIT).exists()), None)
    if found is not None:
        return found
    return Path.cwd() if place.is_relative_to(Path.cwd()) else place.parent


def _source_at(path: str, sources: Sequence[SourceSettings]) -> SourceSettings:
    found = [source for source in sources if render_options(source).path == path]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(source.name for source in found)
        raise Terminal(f"{path or '.'}: the sources {names} follow it; name one with --source")
    known = ", ".join(f"{source.name} ({source.path})" for source in sources) or "none"
    raise Terminal(f"{path or '.'}: no source of the settings follows this folder; there are {known}")


def _manifests(folder: Path) -> Iterator[Path]:
    """What a source reads of a folder before anything else is asked for."""
    return (path for path in _below(folder) if path.suffix in SUFFIXES or path.name in ALSO_READ)


def _below(folder: Path) -> Iterator[Path]:
    """Every file and link below a folder but for Git's own."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            yield from _below(path) if path.name != GIT else ()
        else:
            yield path


def _with(known: Snapshot, root: Path, names: Collection[str]) -> Snapshot:
    """The snapshot with more files, as `reconciler.git.tree` adds those of a commit. Raises Terminal."""
    files, problems = dict(known.files), dict.fromkeys(known.problems)
    for name, path in _named(root, names):
        if name in files:
            continue
        problem = _refusal(name, path)
        if problem is None:
            files[name] = _content(path)
        else:
            problems[problem] = None
        if len(files) > MOST_FILES or sum(map(len, files.values())) > LARGEST_SNAPSHOT:
            raise Terminal(f"{root}: more than {MOST_FILES} files or {LARGEST_SNAPSHOT >> 20} MiB are to be read; name a smaller folder")
    return replace(known, files=files, problems=tuple(problems), absent=known.absent | set(names) - files.keys())


def _named(root: Path, names: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Each file that is there, with its name from the root; a name may stand for files of a folder, as in `reconciler.git.tree`."""
    for name in names:
        if (inside := folder_of(name)) is not None:
            folder = root / inside
            whole = folder.resolve() == folder
            found = ((path.relative_to(root).as_posix(), path) for path in (_below(folder) if whole else ()))
            yield from ((file, path) for file, path in found if stands_for(name, file))
        elif (root / name).is_file() or (root / name).is_symlink():
            yield name, root / name


def _refusal(name: str, path: Path) -> SourceProblem | None:
    if path.resolve() != path:
        return SourceProblem(name, 0, "a symbolic link", "links are not followed: commit the file itself")
    if path.stat().st_size > LARGEST_FILE:
        return SourceProblem(name, 0, f"larger than {LARGEST_FILE >> 20} MiB", "split it into smaller files")
    return None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; name a folder that can") from error
