"""Words to a forge are writes: none passes a shut fence; questions do."""

import pytest

from reconciler.forges.fenced import FencedForge
from reconciler.kube.fence import Fence, Fenced, read_only
from reconciler.releases.announce.forge import Announcement, CommitState, Proposal
from tests.kit.forges import Noting

WORDS = Announcement(commit="a" * 40, marker="<!-- m -->", body="b", status=CommitState.PENDING, context="c", description="d")
PROPOSAL = Proposal(head="reconciler/restore/demo/web", base="main", title="t", body="b")


async def test_nothing_is_said_or_proposed_while_writes_are_withheld() -> None:
    noting = Noting()
    forge = FencedForge(noting, Fence(read_only()).check)
    with pytest.raises(Fenced, match="announcement on aaaaaaaaaaaa withheld"):
        await forge.announce(WORDS)
    with pytest.raises(Fenced, match="proposal of reconciler/restore/demo/web withheld"):
        await forge.propose(PROPOSAL)
    with pytest.raises(Fenced, match="withdrawal of reconciler/restore/demo/web withheld"):
        await forge.withdraw(PROPOSAL.head, PROPOSAL.base, "w")
    assert (await forge.pull_of("a" * 40)) is not None
    assert (noting.announced, noting.proposed, noting.withdrawn) == ([], [], [])


async def test_while_writes_may_pass_the_forge_hears_everything() -> None:
    noting = Noting()
    forge = FencedForge(noting, Fence().check)
    await forge.announce(WORDS)
    await forge.propose(PROPOSAL)
    await forge.withdraw(PROPOSAL.head, PROPOSAL.base, "w")
    assert (noting.announced, noting.proposed, noting.withdrawn) == ([WORDS], [PROPOSAL], [(PROPOSAL.head, PROPOSAL.base, "w")])
