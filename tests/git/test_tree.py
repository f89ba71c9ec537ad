"""The files of a commit, and what is refused among them."""

import pytest

from reconciler.git.errors import Damaged
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Snapshot
from reconciler.git.tree import MOST_FILES, inside, snapshot, with_files, written_for_a_tool
from reconciler.kernel.errors import Terminal
from tests.kit.repositories import Files, Origin, git


async def test_manifests_under_a_path_are_read(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"env/a/b.yml": "b", "env/c.json": "{}", "env/notes.txt": "x", "environment/no.yaml": "no"})
    head = (await mirror.fetch("main")).new
    found = await snapshot(mirror.runner, head, "./env/")
    assert dict(found.files) == {"env/a/b.yml": b"b", "env/c.json": b"{}", "env/web.yaml": b"image: web:1\n"}
    assert (found.commit, found.problems) == (head, ())
    assert set((await snapshot(mirror.runner, head, ".")).files) == {*found.files, "environment/no.yaml"}


async def test_what_cannot_be_used_is_named(origin: Origin, mirror: Mirror) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1\n"
    origin.commit(
        {"env/big.yaml": b"x" * (10 << 20), "env/etc.link": "/etc/passwd", "env/lfs.yaml": pointer, "env/logo.png": b"x" * (2 << 20)}
    )
    origin.submodule("env/sub")
    found = await snapshot(mirror.runner, (await mirror.fetch("main")).new, "env")
    assert set(found.files) == {"env/web.yaml"}
    messages = {problem.file: problem.message for problem in found.problems}
    assert set(messages) == {"env/big.yaml", "env/etc.link", "env/lfs.yaml", "env/sub"}
    assert "10.0 MiB" in messages["env/big.yaml"]
    assert all(problem.remedy for problem in found.problems)


async def test_an_unchanged_folder_is_the_same_tree(origin: Origin, mirror: Mirror) -> None:
    one = await snapshot(mirror.runner, (await mirror.fetch("main")).new, "env")
    origin.commit({"README.md": "changed"})
    two = await snapshot(mirror.runner, (await mirror.fetch("main")).new, "env", one)
    assert two.tree_id == one.tree_id
    assert two.commit != one.commit
    assert two.files is one.files


async def test_only_changed_files_are_read_again(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"env/other.yaml": "a: 1\n"})
    one = await snapshot(mirror.runner, (await mirror.fetch("main")).new, "env")
    origin.commit({"env/web.yaml": "image: web:2\n"})
    two = await snapshot(mirror.runner, (await mirror.fetch("main")).new, "env", one)
    assert two.files["env/other.yaml"] is one.files["env/other.yaml"]
    assert two.files["env/web.yaml"] == b"image: web:2\n"


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1\n"
PUSHES: tuple[Files, ...] = (
    {"env/a.yaml": "a: 1\n", "env/z/deep.yaml": "b: 1\n", "env/notes.txt": "x", "env/over.link": "a.yaml", "env/lfs.yaml": POINTER},
    {"env/a.yaml": "a: 2\n", "env/notes.txt": None, "env/new.yaml": "a: 1\n", "other/file.yaml": "x"},
    {"env/z/deep.yaml": None, "env/z": "now a file", "env/lfs.yaml": "a: 1\n", "env/over.link": None, "env/big.yaml": b"x" * (2 << 20)},
    {"env/z": None, "env/z/deep.yaml/inner.yaml": "back as a folder\n", "env/big.yaml": "small\n", "env/a.yaml": POINTER},
    {"env/ä b.yaml": "c: 1\n", "env/new.yaml": None, "env/moved.yaml": "a: 1\n", "env/a.yaml": None},
)


@pytest.mark.parametrize("path", ["env", "."])
async def test_what_a_push_changed_makes_the_same_snapshot_as_a_look_at_everything(origin: Origin, mirror: Mirror, path: str) -> None:
    known = None
    for push in PUSHES:
        origin.commit(push)
        if push is PUSHES[1]:
            origin.submodule("env/sub")
        head = (await mirror.fetch("main")).new
        known, whole = await snapshot(mirror.runner, head, path, known), await snapshot(mirror.runner, head, path)
        assert known == whole


async def test_a_snapshot_of_a_mirror_that_was_made_again_is_no_base_to_compare_with(origin: Origin, mirror: Mirror) -> None:
    head = (await mirror.fetch("main")).new
    lost = Snapshot("c0ffee", "1" * 40, {"env/gone.yaml": b"gone"}, listed=1)
    assert await snapshot(mirror.runner, head, "env", lost) == await snapshot(mirror.runner, head, "env")


async def test_an_absent_folder_is_not_an_empty_one(mirror: Mirror) -> None:
    head = (await mirror.fetch("main")).new
    with pytest.raises(Terminal, match="no folder"):
        await snapshot(mirror.runner, head, "elsewhere")
    with pytest.raises(Terminal, match="not a folder"):
        await snapshot(mirror.runner, head, "README.md")
    with pytest.raises(Damaged):
        await snapshot(mirror.runner, "1" * 40, "env")


async def test_a_path_does_not_follow_links(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"over.link": "env"})
    with pytest.raises(Terminal):
        await snapshot(mirror.runner, (await mirror.fetch("main")).new, "over.link")


@pytest.mark.parametrize("path", ["..", "a/../..", "/etc", "a\\b", "a\n"])
def test_a_path_that_leaves_the_repository_is_refused(path: str) -> None:
    with pytest.raises(Terminal):
        inside(path)


@pytest.mark.parametrize(("path", "folder"), [("", ""), (".", ""), ("./a//b/", "a/b"), ("a..b", "a..b")])
def test_a_path_is_written_as_git_writes_it(path: str, folder: str) -> None:
    assert inside(path) == folder


TOOLS = {"a/main.cue": "CUE", "x.j2": "Jinja", "cue": "", "a.b/ytt": "", "web.yaml": ""}


@pytest.mark.parametrize(("name", "tool"), TOOLS.items())
def test_a_file_of_another_tool_is_known_by_its_ending(name: str, tool: str) -> None:
    found = written_for_a_tool(name)
    assert (found.tool if found is not None else "") == tool


async def test_a_repository_of_too_many_files_is_refused_as_a_whole_and_read_by_its_small_folders(origin: Origin, mirror: Mirror) -> None:
    blob = git(origin.path, "hash-object", "-w", "--stdin", stdin=b"a: 1\n").decode().strip()
    names = (f"100644 blob {blob}\t{number:06}.yaml" for number in range(MOST_FILES + 1))
    many = git(origin.path, "mktree", stdin="\n".join(names).encode()).decode().strip()
    small = git(origin.path, "mktree", stdin=f"100644 blob {blob}\ta.yaml".encode()).decode().strip()
    root = git(origin.path, "mktree", stdin=f"040000 tree {many}\tmany\n040000 tree {small}\tsmall".encode()).decode().strip()
    origin.force(git(origin.path, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", root, "-m", "many").decode().strip())
    head = (await mirror.fetch("main")).new
    for path, words in (("many", "many holds more than 20000 files"), (".", "the repository holds more than 20000 files")):
        with pytest.raises(Terminal, match=words):
            await snapshot(mirror.runner, head, path)
    known = await snapshot(mirror.runner, head, "small")
    assert list(known.files) == ["small/a.yaml"]
    with pytest.raises(Terminal, match="more than 20000 files; follow smaller folders"):
        await with_files(mirror.runner, known, ("many/",))


async def test_names_that_differ_in_case_alone_are_two_files(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"env/Web.yaml": "a: 1", "env/WEB.yaml": "a: 2"})
    found = await snapshot(mirror.runner, (await mirror.fetch("main")).new, "env")
    assert {name: content for name, content in found.files.items() if name != "env/web.yaml"} == {
        "env/Web.yaml": b"a: 1",
        "env/WEB.yaml": b"a: 2",
    }
    assert len(found.files) == 3 and not found.problems
