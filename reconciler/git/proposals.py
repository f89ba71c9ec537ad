"""Our own branch for a proposal: made, found again, updated, and never by force or over work that is not ours. Content decides.

A branch that holds our edit already is left as it is, no matter who pushed it. One whose head we pushed is updated by a commit that
comes after both the followed branch and the old head, which every server takes. Any other one is not ours: our branch gets another name.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from reconciler.git.command import GitCall
from reconciler.git.commit import Draft, build
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Oid
from reconciler.git.push import AlreadyThere, Outcome, Pusher
from reconciler.git.refs import RemoteRefs

NAMES = 5


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a proposal stands: the branch, the commit that we want there, and what the server said to it."""

    branch: str
    oid: Oid
    outcome: Outcome


class ProposalBranches:
    """The branches of proposals in one repository."""

    def __init__(self, mirror: Mirror, refs: RemoteRefs, pusher: Pusher) -> None:
        self._mirror = mirror
        self._refs = refs
        self._pusher = pusher

    async def place(self, branch: str, draft: Draft, ours: Collection[Oid]) -> Placed | None:
        """Puts a draft on the first branch of this name, or of the name with a number, that is absent or ours; None when all are taken.

        `ours` are the commits that we remember to have pushed there.
        """
        wanted = await build(self._mirror.runner, draft)
        for name in (branch, *(f"{branch}-{number}" for number in range(2, NAMES + 1))):
            head = await self._refs.head_of(self._mirror.remote, name)
            if head is None:
                return Placed(name, wanted, await self._pusher.push(name, wanted))
            if not await self._mirror.keep(head):
                continue
            if await self.holds(head, wanted, draft.parent):
                return Placed(name, head, AlreadyThere(head))
            if head in ours:
                update = await build(self._mirror.runner, replace(draft, after=(head,)))
                return Placed(name, update, await self._pusher.push(name, update))
        return None

    async def holds(self, head: Oid, wanted: Oid, tip: Oid) -> bool:
        """True where a branch, since it left the followed one, changes exactly what `wanted` changes at the tip, to the same bytes."""
        base = await self._mirror.runner.run(GitCall(("merge-base", tip, head)))
        if base.status:
            return False
        return await self._changed(base.stdout.decode().strip(), head) == await self._changed(tip, wanted)

    async def _changed(self, old: Oid, new: Oid) -> frozenset[tuple[bytes, bytes, bytes]]:
        """The files that differ: name, and mode and object on the new side."""
        call = GitCall(("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none", old, new))
        records = (await self._mirror.runner.output(call)).split(b"\0")
        pairs = zip(records[::2], records[1::2], strict=False)
        return frozenset((name, facts.split()[1], facts.split()[3]) for facts, name in pairs)
