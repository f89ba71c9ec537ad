"""A forge that notes what it is told, and one that is down."""

from reconciler.forges.plain import Plain
from reconciler.kernel.errors import Terminal, Transient
from reconciler.releases.announce.forge import Announced, Announcement, Proposal, PullRequest, PullState


class Noting(Plain):
    """Knows one pull request for every commit and keeps what was announced and proposed."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.proposed: list[Proposal] = []
        self.withdrawn: list[tuple[str, str, str]] = []

    async def pull_of(self, commit: str) -> PullRequest | None:
        return PullRequest(number=7, url="https://git.example.com/shop/pull/7", title="t", author="ann", state=PullState.MERGED)

    async def announce(self, announcement: Announcement) -> Announced:
        self.announced.append(announcement)
        return Announced(changed=True)

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        self.proposed.append(proposal)
        return PullRequest(number=8, url="https://git.example.com/shop/pull/8", title="t", author="us", state=PullState.OPEN)

    async def withdraw(self, head: str, base: str, words: str) -> None:
        self.withdrawn.append((head, base, words))


class Down(Plain):
    """Answers nothing."""

    def __init__(self, error: Transient | Terminal) -> None:
        self._error = error

    async def pull_of(self, commit: str) -> PullRequest | None:
        raise self._error

    async def announce(self, announcement: Announcement) -> Announced:
        raise self._error

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        raise self._error
