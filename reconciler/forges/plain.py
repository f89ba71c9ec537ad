"""No forge: a repository without pull requests, where every question has the answer None and nothing is announced."""

from reconciler.releases.announce.forge import Announced, Announcement, Proposal, PullRequest


class Plain:
    """Git alone; the pushed branch is all the proposal there is."""

    async def pull_of(self, commit: str) -> PullRequest | None:
        return None

    async def announce(self, announcement: Announcement) -> Announced:
        return Announced(changed=False)

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        return None
