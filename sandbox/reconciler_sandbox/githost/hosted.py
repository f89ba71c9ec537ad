"""One hosted repository: the bare repository and its records kept in step."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler_sandbox.githost.answers import Refusal, invalid
from reconciler_sandbox.githost.records import Book, Pull, timestamp
from reconciler_sandbox.githost.repository import Joined, MergeConflict, Outrun, Repository, person

ZERO = "0" * 40
Notify = Callable[["Hosted", str, Mapping[str, Any]], None]
"""Told of each event: the repository, the event's name and its payload without the parts that every payload has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A pull request to open."""

    head: str
    base: str
    title: str
    body: str
    author: str
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """How to merge: `method` is merge or squash; `sha`, if given, must still be the head."""

    method: str = "merge"
    user: str = "sandbox"
    sha: str = ""
    title: str = ""
    message: str = ""


def _refused(message: str) -> Refusal:
    return Refusal(422, "Validation Failed", {"resource": "PullRequest", "code": "custom", "message": message})


class Hosted:
    """A repository with pull requests; every change of a ref passes `settle`, which tells the hooks."""

    def __init__(self, repository: Repository, notify: Notify) -> None:
        self.repository = repository
        self.book = Book()
        self._notify = notify
        self._known: dict[str, str] = {}
        self._merging = asyncio.Lock()
        self._settling = asyncio.Lock()

    @property
    def name(self) -> str:
        return self.repository.name

    async def settle(self, user: str, *, silent: bool = False) -> None:
        """Compare the refs with those known, bring the pull requests up to date and announce each difference as a push."""
        async with self._settling:
            await self._compare(user, silent)

    async def _compare(self, user: str, silent: bool) -> None:
        refs = await self.repository.refs()
        before, self._known = self._known, refs
        for ref in sorted(before.keys() | refs.keys()):
            old, new = before.get(ref, ZERO), refs.get(ref, ZERO)
            if old == new:
                continue
            if ref.startswith("refs/heads/"):
                await self._follow(ref.removeprefix("refs/heads/"), new, user)
            if not silent:
                self._notify(self, "push", await self._push(ref, old, new, user))

    async def open(self, opening: Opening) -> Pull:
        """Open a pull request, with GitHub's validations."""
        head, base = await self.repository.tip(opening.head), await self.repository.tip(opening.base)
        if head is None or base is None:
            raise invalid("PullRequest", "base" if base is None else "head", code="invalid")
        commits = tuple(await self.repository.between(base, head))
        if self.book.open_pull(opening.head, opening.base):
            raise _refused(f"A pull request already exists for {self.name.partition('/')[0]}:{opening.head}.")
        if not commits:
            raise _refused(f"No commits between {opening.base} and {opening.head}")
        return await self._opened(opening, head, commits)

    async def _opened(self, opening: Opening, head: str, commits: tuple[str, ...]) -> Pull:
        pull = Pull(
            number=next(self.book.numbers),
            title=opening.title,
            body=opening.body,
            author=opening.author,
            head=opening.head,
            base=opening.base,
            head_sha=head,
            commits=commits,
            draft=opening.draft,
        )
        self.book.pulls[pull.number] = pull
        await self.repository.move(f"refs/pull/{pull.number}/head", head)
        return pull

    async def merge(self, number: int, merging: Merging) -> Pull:
        """Merge a pull request into its base branch: 405 if it cannot be merged, 409 if a side moved."""
        async with self._merging:
            pull = self.book.pulls[number]
            if pull.draft:
                raise Refusal(405, "Pull Request is still a draft")
            if pull.state != "open":
                raise Refusal(405, "Pull Request is not mergeable")
            if merging.sha and merging.sha != pull.head_sha:
                raise Refusal(409, "Head branch was modified. Review and try the merge again.")
            if merging.method not in ("merge", "squash"):
                raise Refusal(405, "Rebase merges are not allowed on this repository.")
            merged = await self._merged(pull, merging)
            self.book.pulls[number] = self._closed(pull, merged, merging.user)
        await self.settle(merging.user)
        return self.book.pulls[number]

    async def close(self, number: int) -> None:
        """Close without merging, or do nothing if it is closed."""
        pull = self.book.pulls[number]
        if pull.state == "open":
            self.book.pulls[number] = replace(pull, state="closed", closed_at=timestamp(), updated_at=timestamp())

    async def _merged(self, pull: Pull, merging: Merging) -> str:
        base = await self.repository.tip(pull.base) or ""
        try:
            tree = await self.repository.merged_tree(base, pull.head_sha)
        except MergeConflict as error:
            raise Refusal(405, "Pull Request is not mergeable") from error
        owner = self.name.partition("/")[0]
        squash = merging.method == "squash"
        title = merging.title or (
            f"{pull.title} (#{pull.number})" if squash else f"Merge pull request #{pull.number} from {owner}/{pull.head}"
        )
        message = merging.message or (pull.body if squash else pull.title)
        parents = (base,) if squash else (base, pull.head_sha)
        author = person(pull.author if squash else merging.user)
        sha = await self.repository.commit(Joined(tree, parents, f"{title}\n\n{message}".strip() + "\n", author))
        try:
            await self.repository.move(f"refs/heads/{pull.base}", sha, base)
        except Outrun as error:
            raise Refusal(409, "Base branch was modified. Review and try the merge again.") from error
        return sha

    def _closed(self, pull: Pull, merge_commit: str, user: str) -> Pull:
        now = timestamp()
        return replace(pull, state="closed", merge_commit=merge_commit, merged_by=user, closed_at=now, updated_at=now)

    async def _follow(self, branch: str, new: str, user: str) -> None:
        """Open pull requests move with their head branch, close when it goes, and count as merged once the base contains them."""
        for pull in [p for p in self.book.pulls.values() if p.state == "open"]:
            if pull.head == branch and new == ZERO:
                await self.close(pull.number)
            elif pull.head == branch:
                base = await self.repository.tip(pull.base) or new
                commits = tuple(await self.repository.between(base, new)) or pull.commits
                self.book.pulls[pull.number] = replace(pull, head_sha=new, commits=commits, updated_at=timestamp())
                await self.repository.move(f"refs/pull/{pull.number}/head", new)
            elif pull.base == branch and new != ZERO and await self.repository.contains(new, pull.head_sha):
                self.book.pulls[pull.number] = self._closed(pull, new, user)

    async def _push(self, ref: str, old: str, new: str, user: str) -> Mapping[str, Any]:
        forced = ZERO not in (old, new) and not await self.repository.contains(new, old)
        commits = await self._pushed_commits(old, new) if ref.startswith("refs/heads/") and new != ZERO else []
        return {
            "ref": ref,
            "before": old,
            "after": new,
            "created": old == ZERO,
            "deleted": new == ZERO,
            "forced": forced,
            "commits": commits,
            "head_commit": commits[-1] if commits else None,
            "pusher": {"name": user},
        }

    async def _pushed_commits(self, old: str, new: str) -> list[dict[str, Any]]:
        limits = ["--max-count=20", *([f"^{old}"] if old != ZERO else ["--max-count=1"])]
        shown = []
        for commit in reversed(await self.repository.log(new, *limits)):
            author = {"name": commit.author_name, "email": commit.author_email}
            paths = await self.repository.changed(commit.sha)
            shown.append({"id": commit.sha, "message": commit.message, "timestamp": commit.date, "author": author, **paths})
        return shown
