"""Branches of proposals: content decides, and nothing is forced."""

from datetime import UTC, datetime

import pytest

from reconciler.git.commit import Draft, Message
from reconciler.git.mirror import Mirror
from reconciler.git.objects import Committer
from reconciler.git.proposals import NAMES, ProposalBranches
from reconciler.git.push import AlreadyThere, Pushed, Pusher, PushRefused, Refusal
from reconciler.git.refs import RemoteRefs
from tests.kit.repositories import Origin

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BRANCH = "reconciler/restore/web"


@pytest.fixture
def branches(mirror: Mirror, refs: RemoteRefs) -> ProposalBranches:
    return ProposalBranches(mirror, refs, Pusher(mirror.runner, mirror.remote, refs, lambda: None))


async def draft(mirror: Mirror, image: str) -> Draft:
    head = (await mirror.fetch("main")).new
    return Draft(parent=head, files={"env/web.yaml": image.encode()}, message=Message("restore"), author=Committer(), time=AT)


async def test_an_absent_branch_is_made_and_then_found_again(origin: Origin, mirror: Mirror, branches: ProposalBranches) -> None:
    wanted = await draft(mirror, "image: web:0\n")
    placed = await branches.place(BRANCH, wanted, ())
    assert placed is not None
    assert (placed.branch, placed.outcome) == (BRANCH, Pushed(placed.oid))
    again = await branches.place(BRANCH, wanted, ())
    assert again is not None
    assert (again.branch, again.outcome) == (BRANCH, AlreadyThere(placed.oid))


async def test_our_branch_is_updated_without_force(origin: Origin, mirror: Mirror, branches: ProposalBranches) -> None:
    first = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ())
    assert first is not None
    tip = origin.commit({"env/web.yaml": "image: web:9\n", "README.md": "moved\n"})
    second = await branches.place(BRANCH, await draft(mirror, "image: web:00\n"), {first.oid})
    assert second is not None
    assert (second.branch, second.outcome) == (BRANCH, Pushed(second.oid))
    assert origin.head(BRANCH) == second.oid
    assert origin.log("%P", BRANCH)[0] == f"{tip} {first.oid}"
    assert origin.read("env/web.yaml", BRANCH) == b"image: web:00\n"
    assert origin.read("README.md", BRANCH) == b"moved\n"


async def test_the_same_edit_on_an_older_tip_is_left_as_it_is(origin: Origin, mirror: Mirror, branches: ProposalBranches) -> None:
    first = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ())
    origin.commit({"README.md": "moved\n"})
    again = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ())
    assert first is not None and again is not None
    assert (again.branch, again.outcome) == (BRANCH, AlreadyThere(first.oid))


@pytest.mark.parametrize(
    "files", [{"env/web.yaml": "image: evil\n"}, {"env/web.yaml": "image: web:0\n", "env/more.yaml": "a: 1\n"}, {"README.md": "x\n"}]
)
async def test_a_branch_that_somebody_else_made_is_never_offered_as_ours(
    origin: Origin, mirror: Mirror, branches: ProposalBranches, files: dict[str, str]
) -> None:
    origin.restore(BRANCH, origin.head() or "")
    theirs = origin.commit(files, branch=BRANCH)
    placed = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ())
    assert placed is not None
    assert (placed.branch, placed.outcome) == (f"{BRANCH}-2", Pushed(placed.oid))
    assert origin.head(BRANCH) == theirs


async def test_a_commit_of_somebody_else_on_our_branch_makes_it_theirs(origin: Origin, mirror: Mirror, branches: ProposalBranches) -> None:
    first = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ())
    assert first is not None
    origin.commit({"env/web.yaml": "image: evil\n"}, branch=BRANCH)
    second = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), {first.oid})
    assert second is not None
    assert second.branch == f"{BRANCH}-2"


async def test_when_every_name_is_taken_there_is_no_branch_of_ours(origin: Origin, mirror: Mirror, branches: ProposalBranches) -> None:
    for name in (BRANCH, *(f"{BRANCH}-{number}" for number in range(2, NAMES + 1))):
        origin.restore(name, origin.head() or "")
        origin.commit({"env/web.yaml": "image: evil\n"}, branch=name)
    assert await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ()) is None


async def test_a_refusal_comes_back_with_its_words(origin: Origin, mirror: Mirror, branches: ProposalBranches) -> None:
    origin.refuse("a secret was found")
    placed = await branches.place(BRANCH, await draft(mirror, "image: web:0\n"), ())
    assert placed is not None
    assert isinstance(placed.outcome, PushRefused)
    assert (placed.outcome.kind, placed.outcome.said) == (Refusal.HOOK, "a secret was found")
