"""A restore that is cut down at one of its effects: git processes that write, the forge, and the record of what came of it.

Points are enumerated at the seams, so that an effect which the code gains later is a point by itself. Whoever is cut off stays cut
off: every hand raises from then on, so that no clean-up code writes either.
"""

from pathlib import Path

from reconciler.forges.plain import Plain
from reconciler.git.command import Finished, GitCall, Runner
from reconciler.releases.announce.forge import Proposal, PullRequest, PullState
from tests.kit.killing import Fate

GIT_READS = frozenset({"cat-file", "diff-tree", "log", "ls-remote", "ls-tree", "merge-base", "rev-parse", "verify-commit"})
RECORD = "record"
"""The last effect: what came of it is written on the Release."""


class Killed(BaseException):
    """The process is gone: nothing between here and its end handles this."""


class CutRunner(Runner):
    """Runs git until the life ends."""

    def __init__(self, directory: Path, home: Path, fate: Fate) -> None:
        super().__init__(directory, home)
        self._fate = fate

    async def run(self, call: GitCall) -> Finished:
        label = _label(call)
        if self._fate.killed.is_set() or (label and self._fate.strikes_before(label)):
            raise Killed
        finished = await super().run(call)
        if label and self._fate.strikes_after(label):
            raise Killed
        return finished


class CutForge(Plain):
    """Keeps what is proposed: one pull request for each branch, however often it is asked for."""

    def __init__(self, fate: Fate, opened: dict[str, Proposal]) -> None:
        self._fate = fate
        self._opened = opened

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        if self._fate.strikes_before("propose"):
            raise Killed
        self._opened[proposal.head] = proposal
        if self._fate.strikes_after("propose"):
            raise Killed
        return PullRequest(number=8, url="https://git.example.com/shop/pull/8", title="t", author="us", state=PullState.OPEN)


def _label(call: GitCall) -> str:
    """The kind of a git process that writes, such as `git push`; empty for one that reads."""
    word = next(word for word in call.arguments if not word.startswith("-"))
    return "" if word in GIT_READS else f"git {word}"
