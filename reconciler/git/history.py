"""What history says: the commits between two heads that touched some paths, and which commit last set a line."""

from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.git.command import GitCall, Runner
from reconciler.git.names import argument, bytes_of, text_of
from reconciler.git.objects import CommitFacts, Oid

MOST_COMMITS = 200
FIELDS = ("%H", "%an", "%ae", "%at", "%s", "%(trailers:only,unfold,separator=%x0A)")
FORMAT = "%x00".join(FIELDS)


async def commits_between(runner: Runner, old: Oid | None, new: Oid, paths: Sequence[str] = ()) -> tuple[CommitFacts, ...]:
    """The commits that `new` has and `old` has not and that touch one of the paths, newest first, at most 200, merges left out.

    With no old commit, only the newest one that touches them; none when the old commit is not here (history was rewritten).
    """
    if old and (await runner.run(GitCall(("cat-file", "-e", f"{old}^{{commit}}")))).status:
        return ()
    reach = (f"{old}..{new}", f"--max-count={MOST_COMMITS}") if old else (new, "--max-count=1")
    names = map(argument, (await bytes_of(runner, new, paths)).values())
    call = GitCall(("--literal-pathspecs", "log", "-z", "--no-merges", f"--format={FORMAT}", *reach, "--", *names))
    parts = (await runner.output(call)).decode(errors="replace").split("\0")
    rows = [parts[at : at + len(FIELDS)] for at in range(0, len(parts) - len(FIELDS) + 1, len(FIELDS))]
    files = await _files(runner, [row[0] for row in rows])
    return tuple(_facts(row, files.get(row[0], ())) for row in rows)


async def last_set(runner: Runner, commit: Oid, file: str, line: int) -> Oid | None:
    """The commit that last changed a line (from 1) of a file as it is at `commit`; None when it has no such line."""
    name = argument((await bytes_of(runner, commit, [file]))[file])
    finished = await runner.run(GitCall(("--literal-pathspecs", "blame", "--porcelain", f"-L{line},{line}", commit, "--", name)))
    words = finished.stdout.split(maxsplit=1)
    return words[0].decode() if finished.status == 0 and words else None


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
