"""Gathers what a rehearsal left on its stage into one report."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from reconciler_sandbox.githost.command import git
from reconciler_sandbox.rehearsal.fittings import REPOSITORY
from reconciler_sandbox.rehearsal.looks import newest_statuses
from reconciler_sandbox.rehearsal.record import Entry, PullPage, Report
from reconciler_sandbox.rehearsal.stage import Stage

SHOWN = "--format=%h %s%n%an <%ae>%n%n%b"
LATEST_RESTORES = 12


class Told(NamedTuple):
    """What the player told: the title of the whole, which parts are real, every entry."""

    title: str
    parts: Sequence[tuple[str, str]]
    entries: Sequence[Entry]


async def gather(stage: Stage, told: Told) -> Report:
    """The report; reads Git, the forge and the recorder as they are now."""
    return Report(
        title=told.title,
        began=datetime.fromtimestamp(stage.began, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        seconds=time.time() - stage.began,
        parts=told.parts,
        entries=told.entries,
        weights=tuple(stage.recorder.weights),
        requests=stage.users.requests(stage.began),
        measured=stage.recorder.measured,
        pulls=pulls(stage),
        restores=await restores(stage),
        log=await log_lines(stage),
    )


def pulls(stage: Stage) -> list[PullPage]:
    """Every pull request with what it was told."""
    return [
        PullPage(
            number=pull.number,
            title=pull.title,
            comments=tuple(comment.body for comment in stage.host.comments(REPOSITORY, pull.number)),
            statuses=tuple((status.context, status.state, status.description) for status in newest_statuses(stage, pull)),
        )
        for pull in stage.host.pulls(REPOSITORY)
    ]


async def log_lines(stage: Stage) -> list[str]:
    """`git log --oneline` of main, newest first."""
    folder = stage.host.repository(REPOSITORY).folder
    shown = await git(folder, "log", "--oneline", "--no-decorate", "--topo-order", "refs/heads/main")
    return shown.text.splitlines()


async def restores(stage: Stage) -> list[str]:
    """`git show` of each commit by which the daemon restored a value, oldest first."""
    folder = stage.host.repository(REPOSITORY).folder
    found = await git(folder, "log", "--reverse", "--format=%H", "--grep=^Reconciler-Release:", "refs/heads/main")
    return [(await git(folder, "show", SHOWN, sha)).text for sha in found.text.split()[-LATEST_RESTORES:]]
