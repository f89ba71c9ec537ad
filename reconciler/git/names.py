"""Names of files: bytes for git, text for everybody else. Git allows every byte but NUL; not all of them are UTF-8."""

import os
from collections.abc import Iterable, Mapping

from reconciler.git.command import GitCall, Runner
from reconciler.git.objects import Oid

ESCAPE = "\\x"


def text_of(name: bytes) -> str:
    """A file name as text; bytes that are no UTF-8 are written as `\\xe9`."""
    return name.decode("utf-8", errors="backslashreplace")


def argument(name: bytes) -> str:
    """A file name as an argument of a process. Say `--literal-pathspecs` and `--` too: a name may begin with a dash or `:(glob)`."""
    return os.fsdecode(name)


def is_file_name(name: str) -> bool:
    """True for a name from the repository's root that stays inside of it, whatever its letters are."""
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


async def bytes_of(runner: Runner, commit: Oid, names: Iterable[str]) -> Mapping[str, bytes]:
    """The names as git has them at a commit. Only one that may stand for other bytes costs a look."""
    found = {name: name.encode() for name in names}
    doubtful = {name for name in found if ESCAPE in name}
    if doubtful:
        call = GitCall(("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit))
        present = set((await runner.output(call)).split(b"\0"))
        others = {text_of(name): name for name in present}
        found |= {name: others[name] for name in doubtful if found[name] not in present and name in others}
    return found
