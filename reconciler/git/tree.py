"""The files under one path at one commit, read from the object store: nothing is checked out, so nothing can escape."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reconciler.git.command import GitCall, Runner
from reconciler.git.errors import Damaged
from reconciler.git.names import argument, text_of
from reconciler.git.objects import Hides, Oid, Snapshot, SourceProblem
from reconciler.kernel.errors import Terminal

SUFFIXES = (".yaml", ".yml", ".json", ".jsonnet", ".libsonnet")
ALSO_READ = ("Kustomization", "hydrator.metadata")
LARGEST_FILE = 1 << 20
LARGEST_SNAPSHOT = 128 << 20
MOST_FILES = 20_000
POINTER = b"version https://git-lfs.github.com/spec/"
UNRENDERED = {".cue": "CUE", ".ytt": "ytt", ".j2": "Jinja"}
"""Files that other tools turn into manifests, and the tool."""
REGULAR = ("100644", "100755")
TREE = "040000"
ABSENT = "000000"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file of a tree: its name from the repository's root, its mode, its object and its size in bytes.

    `exact` says that the name is UTF-8, so that the text is the name itself.
    """

    name: str
    mode: str
    oid: Oid
    size: int
    exact: bool = True


def inside(path: str) -> str:
    """A folder of a source as git names it, empty for the root. Raises Terminal for paths that leave the repository."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or "\\" in path or not path.isprintable():
        raise Terminal(f"the path {path!r} leaves the repository; write a folder relative to its root")
    return "/".join(parts)


async def snapshot(runner: Runner, commit: Oid, path: str, previous: Snapshot | None = None) -> Snapshot:
    """The manifests under a path at a commit. Contents that `previous` already holds are not read again.

    A file that cannot be used is a SourceProblem. Raises Terminal when the path is no folder at that commit: an absent folder is
    not an empty one.
    """
    folder = inside(path)
    tree_id = await tree_of(runner, commit, folder)
    if previous is not None and previous.tree_id == tree_id:
        return replace(previous, commit=commit)
    delta = await _delta(runner, previous, tree_id, folder) if previous else None
    delta = delta or _Delta(Snapshot(commit, tree_id, {}), await entries(runner, tree_id, folder))
    return replace(await _built(runner, delta, folder), commit=commit, tree_id=tree_id)


async def with_files(runner: Runner, known: Snapshot, names: Collection[str]) -> Snapshot:
    """The snapshot with more files of its commit, by their names from the repository's root; what is no regular file is absent.

    A name that ends with a slash is every file below that folder (`./` for all), one that ends with `*` and a suffix every file below the
    folder with this suffix. What the snapshot has already stays as it has it.
    """
    listed = [entry for entry in await _named_entries(runner, known.commit, names) if entry.name not in known.files]
    if len(known.files) + len(listed) > MOST_FILES:
        raise Terminal(f"what this source is made from are more than {MOST_FILES} files; follow smaller folders")
    refused = [problem for entry in listed if (problem := _refusal(entry) or _oversized(entry))]
    wanted = [entry for entry in listed if entry.name not in {problem.file for problem in refused}]
    if sum(map(len, known.files.values())) + sum(entry.size for entry in wanted) > LARGEST_SNAPSHOT:
        raise Terminal(f"what this source is made from is larger than {LARGEST_SNAPSHOT >> 20} MiB; follow smaller folders")
    contents = await _contents(runner, wanted)
    problems = tuple(sorted({*known.problems, *refused}, key=lambda problem: problem.file))
    files = {**contents, **known.files}
    return replace(known, files=files, problems=problems, absent=known.absent | set(names) - files.keys())


async def _named_entries(runner: Runner, commit: Oid, names: Collection[str]) -> list[TreeEntry]:
    """The files of these names, and all files below those that are folders."""
    found = []
    for folders, options in ((False, ()), (True, ("-r",))):
        asked = [name for name in names if (folder_of(name) is not None) is folders]
        if asked:
            paths = [folder_of(name) or name for name in asked]
            paths = [] if "./" in paths else [argument(path.encode()) for path in paths]
            call = GitCall(("ls-tree", *options, "-z", "--long", "--full-tree", commit, "--", *paths))
            listed = [_entry(record, "") for record in (await runner.output(call)).split(b"\0") if record]
            found += [entry for entry in listed if entry.mode != TREE and any(stands_for(name, entry.name) for name in asked)]
    return found


def folder_of(name: str) -> str | None:
    """The folder that a name of `with_files` stands for, with its slash (`./` for the root); None where the name is a file's own."""
    folder, slash, last = name.rpartition("/")
    return (f"{folder}/" if slash else "./") if not last or last.startswith("*.") else None


def stands_for(name: str, file: str) -> bool:
    """True for a file that a name of `with_files` stands for."""
    folder = folder_of(name)
    if folder is None:
        return file == name
    return (folder == "./" or file.startswith(folder)) and file.endswith(name.rpartition("/")[2].removeprefix("*"))


async def folders_with(runner: Runner, commit: Oid, markers: Collection[str]) -> tuple[str, ...]:
    """Every folder of a commit that holds a file of one of these names, or with one of these suffixes (`*.jsonnet`); empty for the root."""
    output = await runner.output(GitCall(("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)))
    names = [text_of(name) for name in output.split(b"\0") if name]
    found = (name for name in names if any(stands_for(marker, name.rpartition("/")[2]) for marker in markers))
    return tuple(sorted({name.rpartition("/")[0] for name in found}))


@dataclass(frozen=True, slots=True)
class _Delta:
    """What is known already, and the entries that are to be looked at."""

    kept: Snapshot
    entries: list[TreeEntry]


async def _built(runner: Runner, delta: _Delta, folder: str) -> Snapshot:
    kept, found = delta.kept, delta.entries
    count = kept.listed + len(found)
    if count > MOST_FILES:
        raise Terminal(f"{folder or 'the repository'} holds more than {MOST_FILES} files; follow smaller folders")
    refused = [problem for entry in found if (problem := _refusal(entry))]
    names = {problem.file for problem in refused}
    found, doubles = _apart([entry for entry in found if entry.name not in names])
    refused += doubles
    wanted = [entry for entry in found if _is_read(entry.name)]
    if sum(map(len, kept.files.values())) + sum(entry.size for entry in wanted) > LARGEST_SNAPSHOT:
        raise Terminal(f"{folder or 'the repository'} holds more than {LARGEST_SNAPSHOT >> 20} MiB of manifests; follow smaller folders")
    contents = await _contents(runner, wanted)
    refused += [_pointer(name) for name, content in contents.items() if content.startswith(POINTER)]
    files = {name: content for name, content in contents.items() if not content.startswith(POINTER)}
    problems = tuple(sorted((*kept.problems, *refused), key=lambda problem: problem.file))
    return replace(kept, files={**kept.files, **files}, problems=problems, listed=count)


def _without(kept: Snapshot, removed: frozenset[str]) -> Snapshot:
    """A snapshot that never had some of its files."""
    files = {name: content for name, content in kept.files.items() if name not in removed}
    problems = tuple(problem for problem in kept.problems if problem.file not in removed)
    return replace(kept, files=files, problems=problems, listed=kept.listed - len(removed))


async def _delta(runner: Runner, previous: Snapshot, tree_id: Oid, folder: str) -> _Delta | None:
    """The previous snapshot without what moved, and what stands there now; None when git cannot compare the two any more."""
    call = GitCall(("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none", previous.tree_id, tree_id))
    finished = await runner.run(call)
    if finished.status:
        return None
    records = finished.stdout.split(b"\0")
    if any(text_of(name).encode() != name for name in records[1::2]):
        return None  # A name that is not its own text may stand for another file: the whole folder says which.
    moved = [(_name(name, folder), *facts.decode()[1:].split()) for facts, name in zip(records[::2], records[1::2], strict=False)]
    kept = _without(previous, frozenset(name for name, mode, *_rest in moved if mode != ABSENT))
    present = [(name, mode, oid) for name, _old_mode, mode, _old, oid, _status in moved if mode != ABSENT]
    oids = sorted({oid for _name, mode, oid in present if mode in REGULAR})
    sizes = {found.oid: found.size for found in await runner.look(oids)} if oids else {}
    return _Delta(kept, [TreeEntry(name, mode, oid, sizes.get(oid, 0)) for name, mode, oid in present])


async def tree_of(runner: Runner, commit: Oid, folder: str) -> Oid:
    """The tree id of a folder: equal ids, equal files. Raises Terminal when there is no such folder."""
    try:
        (found,) = await runner.look([f"{commit}:{folder}"])
    except Damaged:
        await _explain_absence(runner, commit, folder)
        raise
    if found.type != "tree":
        raise Terminal(f"{folder!r} at commit {commit[:12]} is not a folder; follow the folder that holds the manifests")
    return found.oid


async def _explain_absence(runner: Runner, commit: Oid, folder: str) -> None:
    """Raises Damaged when it is the commit that is missing, Terminal when it is the folder."""
    if (await runner.run(GitCall(("cat-file", "-e", f"{commit}^{{commit}}")))).status:
        raise Damaged(f"the commit {commit} is not in the mirror")
    if (await runner.run(GitCall(("rev-parse", "--verify", "--quiet", f"{commit}:{folder}")))).status:
        raise Terminal(f"there is no folder {folder!r} at commit {commit[:12]}; nothing is applied or pruned until it is back")


async def entries(runner: Runner, tree_id: Oid, folder: str) -> list[TreeEntry]:
    """All files below a tree, names from the repository's root."""
    output = await runner.output(GitCall(("ls-tree", "-r", "-z", "--long", "--full-tree", tree_id)))
    return [_entry(record, folder) for record in output.split(b"\0") if record]


def _entry(record: bytes, folder: str) -> TreeEntry:
    facts, _, name = record.partition(b"\t")
    mode, _kind, oid, size = facts.decode().split()
    return TreeEntry(_name(name, folder), mode, oid, int(size) if size.isdigit() else 0, text_of(name).encode() == name)


def _name(name: bytes, folder: str) -> str:
    text = text_of(name)
    return f"{folder}/{text}" if folder else text


def _apart(found: list[TreeEntry]) -> tuple[list[TreeEntry], list[SourceProblem]]:
    """The entries whose names as text are their own; a name that only looks like another one is refused."""
    honest = {entry.name for entry in found if entry.exact}
    twins = {id(entry) for entry in found if not entry.exact and entry.name in honest}
    message = "a name that is not UTF-8, and looks like that of another file"
    problems = [SourceProblem(entry.name, 0, message, "rename it") for entry in found if id(entry) in twins]
    return [entry for entry in found if id(entry) not in twins], problems


def _is_read(name: str) -> bool:
    return name.endswith(SUFFIXES) or name.rpartition("/")[2] in ALSO_READ


def _refusal(entry: TreeEntry) -> SourceProblem | None:
    if entry.mode == "120000":
        return _left_alone(entry, "a symbolic link", "links are not followed: commit the file itself if it holds manifests")
    if entry.mode == "160000":
        return _left_alone(entry, "a submodule", "submodules are not fetched: commit the manifests themselves if it holds any")
    if entry.mode not in REGULAR or ".." in entry.name.split("/"):
        return SourceProblem(entry.name, 0, "not a regular file", "commit a regular file with an ordinary name")
    unrendered = written_for_a_tool(entry.name)
    if unrendered is not None:
        return unrendered
    if _is_read(entry.name) and entry.size > LARGEST_FILE:
        size = f"{entry.size / (1 << 20):.1f} MiB"
        return SourceProblem(
            entry.name, 0, f"{size} is too large for a manifest", f"split it into files of at most {LARGEST_FILE >> 20} MiB"
        )
    return None


def _oversized(entry: TreeEntry) -> SourceProblem | None:
    """A file of any name may be as large as a manifest."""
    if entry.size <= LARGEST_FILE:
        return None
    return SourceProblem(entry.name, 0, f"{entry.size / (1 << 20):.1f} MiB is too large", f"keep it below {LARGEST_FILE >> 20} MiB")


def written_for_a_tool(name: str) -> SourceProblem | None:
    """What to say of a file that only another program can read; None for any other."""
    tool = UNRENDERED.get(PurePosixPath(name).suffix)
    if tool is None:
        return None
    remedy = "commit what it renders, or name the file under `exclude`"
    return SourceProblem(name, 0, f"written for {tool}, which this version does not run", remedy, Hides.ITSELF, tool=tool)


def _left_alone(entry: TreeEntry, what: str, remedy: str) -> SourceProblem:
    """What is named like a manifest is a problem, anything else only a note; neither was ever read, so it hides nothing but itself."""
    return SourceProblem(entry.name, 0, what, remedy, Hides.ITSELF, note=not _is_read(entry.name))


def _pointer(name: str) -> SourceProblem:
    return SourceProblem(name, 1, "a Git LFS pointer instead of a manifest", "commit the manifest itself, without LFS")


async def _contents(runner: Runner, wanted: list[TreeEntry]) -> dict[str, bytes]:
    missing = sorted({entry.oid for entry in wanted})
    known = dict(zip(missing, await runner.read(missing) if missing else [], strict=True))
    return {entry.name: known[entry.oid] for entry in wanted}
