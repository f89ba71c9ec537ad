"""Names of files, whatever bytes they have: read, blamed, edited, committed and pushed as they are."""

import os
from datetime import UTC, datetime

import pytest

from reconciler.git.commit import Draft, Message, build
from reconciler.git.history import commit_facts
from reconciler.git.mirror import Mirror
from reconciler.git.names import is_file_name, text_of
from reconciler.git.objects import Committer, one_line
from reconciler.git.tree import snapshot
from reconciler.kernel.errors import Terminal
from tests.kit.repositories import Origin, git

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = {
    "backslash": rb"a\b.yaml",
    "no-break space": "a\u00a0b.yaml".encode(),
    "tab": b"a\tb.yaml",
    "line end within": b"a\nb.yaml",
    "line end first": b"\na.yaml",
    "carriage return": b"a\rb.yaml",
    "quotes": b"\"a' `b`.yaml",
    "no UTF-8": b"a\xe9.yaml",
    "what no UTF-8 looks like": rb"a\xe9.yaml",
    "dash": b"-a.yaml",
    "dashes": b"--exec=x.yaml",
    "pathspec magic": b":(glob)*.yaml",
    "pathspec exclusion": b":!a.yaml",
    "pattern": b"[a]*?.yaml",
    "spaces": b"  a  .yaml",
    "colon": b"HEAD:a.yaml",
    "four bytes": "\U0001f600.yaml".encode(),
    "bidirectional": "a\u202eb.yaml".encode(),
    "escape sequence": b"\x1b[31ma.yaml",
    "long": b"a" * 250 + b".yaml",
}


def quoted(name: bytes) -> str:
    """A name as fast-import reads it."""
    return '"' + "".join(f"\\{byte:03o}" for byte in name) + '"'


@pytest.mark.parametrize("folder", [b"", b"env/"], ids=["root", "folder"])
@pytest.mark.parametrize("kind", NAMES)
async def test_a_file_of_any_name_is_read_blamed_edited_and_committed(origin: Origin, mirror: Mirror, kind: str, folder: bytes) -> None:
    raw = folder + NAMES[kind]
    first = origin.commit({quoted(raw): "image: web:1\n", "env/a.yaml": "image: other\n"})
    second = origin.commit({quoted(raw): "image: web:2\n"})
    await mirror.fetch("main")
    name = text_of(raw)
    one = await snapshot(mirror.runner, first, folder.decode())
    two = await snapshot(mirror.runner, second, folder.decode(), one)
    assert (one.files[name], two.files[name]) == (b"image: web:1\n", b"image: web:2\n")
    assert (await commit_facts(mirror.runner, second)).files == (name,)
    draft = Draft(parent=second, files={name: b"image: web:1\n"}, message=Message(f"restore {name}"), author=Committer(), time=AT)
    made = await build(mirror.runner, draft)
    assert git(mirror.runner._directory, "show", f"{made}:{os.fsdecode(raw)}") == b"image: web:1\n"
    changed = git(mirror.runner._directory, "diff-tree", "-r", "-z", "--name-only", second, made)
    assert changed == raw + b"\0"
    assert one_line(name).isprintable()


async def test_two_names_that_look_the_same_stay_apart(origin: Origin, mirror: Mirror) -> None:
    parent = origin.commit({quoted(NAMES["no UTF-8"]): "a: 1\n", quoted(NAMES["what no UTF-8 looks like"]): "a: 2\n"})
    await mirror.fetch("main")
    found = await snapshot(mirror.runner, parent, "")
    assert found.files[r"a\xe9.yaml"] == b"a: 2\n"
    assert [problem.message for problem in found.problems] == ["a name that is not UTF-8, and looks like that of another file"]
    draft = Draft(parent=parent, files={r"a\xe9.yaml": b"a: 3\n"}, message=Message("x"), author=Committer(), time=AT)
    made = await build(mirror.runner, draft)
    assert git(mirror.runner._directory, "show", f"{made}:" + r"a\xe9.yaml") == b"a: 3\n"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up.yaml", "a/../../b.yaml", "a//b.yaml", "./a.yaml", "a\0b.yaml"])
async def test_a_name_that_leaves_the_repository_is_refused(origin: Origin, mirror: Mirror, name: str) -> None:
    assert not is_file_name(name)
    draft = Draft(parent=(await mirror.fetch("main")).new, files={name: b"x"}, message=Message("x"), author=Committer(), time=AT)
    with pytest.raises(Terminal):
        await build(mirror.runner, draft)
