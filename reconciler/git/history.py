"""What history says of one commit: who, when, which files, which trailers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.git.command import GitCall, Runner
from reconciler.git.names import text_of
from reconciler.git.objects import CommitFacts, Oid

FIELDS = ("%H", "%an", "%ae", "%at", "%s", "%(trailers:only,unfold,separator=%x0A)")
FORMAT = "%x00".join(FIELDS)


async def commit_facts(runner: Runner, commit: Oid) -> CommitFacts:
    """What one commit says about itself."""
    output = await runner.output(GitCall(("log", "-z", "--max-count=1", f"--format={FORMAT}", commit)))
    row = output.decode(errors="replace").split("\0")[: len(FIELDS)]
    return _facts(row, (await _files(runner, [commit])).get(commit, ()))


async def _files(runner: Runner, oids: Sequence[Oid]) -> dict[Oid, tuple[str, ...]]:
    """The paths that each commit changed. Oldest first: no file can be named after a commit that comes later."""
    waiting = list(reversed(oids))
    arguments = ("diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", "--name-only")
    output = await runner.output(GitCall(arguments, "".join(f"{oid}\n" for oid in waiting).encode()))
    found: dict[Oid, list[str]] = {}
    current: list[str] = []
    for name in map(text_of, output.split(b"\0")):
        if name in waiting:
            waiting = waiting[waiting.index(name) + 1 :]
            current = found.setdefault(name, [])
        elif name:
            current.append(name)
    return {oid: tuple(names) for oid, names in found.items()}


def _facts(row: Sequence[str], files: tuple[str, ...]) -> CommitFacts:
    oid, name, email, time, subject, trailers = row
    return CommitFacts(
        oid=oid.strip(),
        author_name=name,
        author_email=email,
        time=datetime.fromtimestamp(int(time), UTC),
        subject=subject,
        trailers=_trailers(trailers),
        files=files,
    )


def _trailers(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, separator, value in pairs if separator and key.strip()}
