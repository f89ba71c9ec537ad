"""Releases as a clone remembers them: the commits that changed a file or a folder, and those that were taken back."""

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.git.command import GitCall, Runner, require_git
from reconciler.kernel.errors import Terminal
from reconciler.views.commits import PastCommit, windows_of_commits
from reconciler.views.measuring.backtests import ReleaseWindow

FORMAT = "%H%x00%ct%x00%B"
FIELDS = 3
MOST = 5_000


def windows_from_git(path: Path, length: timedelta) -> tuple[ReleaseWindow, ...]:
    """The releases in the history of a file or folder of a clone. Raises Terminal where there is none."""
    require_git()
    if not path.exists():
        raise Terminal(f"--from-git {path}: is not there; name a file or folder of a clone")
    folder, name = (path, ".") if path.is_dir() else (path.parent, f":(literal){path.name}")
    try:
        return windows_of_commits(asyncio.run(_commits(folder, name)), length)
    except Terminal as error:
        raise Terminal(f"--from-git {path}: {error}") from error


async def _commits(folder: Path, name: str) -> tuple[PastCommit, ...]:
    """The commits that changed it, as the branch took them in, oldest first."""
    with tempfile.TemporaryDirectory(prefix="reconciler-") as home:
        runner = Runner(folder, Path(home))
        try:
            call = GitCall(("log", "-z", "--first-parent", f"--max-count={MOST}", f"--format={FORMAT}", "HEAD", "--", name))
            done = await runner.run(call)
        finally:
            runner.close()
    if done.status:
        raise Terminal(" ".join(done.stderr.split()) or f"git ended with {done.status}")
    parts = done.stdout.decode(errors="replace").split("\0")
    rows = [parts[at : at + FIELDS] for at in range(0, len(parts) - FIELDS + 1, FIELDS)]
    return tuple(PastCommit(sha, datetime.fromtimestamp(int(time), UTC), text) for sha, time, text in reversed(rows))
