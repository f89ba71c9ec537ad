"""A forge that is spoken to only while we may write: comments, statuses and proposals are writes like any other (ADR 0021, 0022)."""

from collections.abc import Callable

from reconciler.releases.announce.forge import Announced, Announcement, Forge, Proposal, PullRequest, Withdrawing


class FencedForge:
    """Asks `permit` before each write, with words for what is about to be written; it raises when that must not be now."""

    def __init__(self, forge: Forge, permit: Callable[[str], None]) -> None:
        self._forge = forge
        self._permit = permit

    async def pull_of(self, commit: str) -> PullRequest | None:
        return await self._forge.pull_of(commit)

    async def announce(self, announcement: Announcement) -> Announced:
        self._permit(f"announcement on {announcement.commit[:12]}")
        return await self._forge.announce(announcement)

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        self._permit(f"proposal of {proposal.head}")
        return await self._forge.propose(proposal)

    async def withdraw(self, head: str, base: str, words: str) -> None:
        """Nothing where the forge has no pull requests to close."""
        if isinstance(self._forge, Withdrawing):
            self._permit(f"withdrawal of {head}")
            await self._forge.withdraw(head, base, words)
