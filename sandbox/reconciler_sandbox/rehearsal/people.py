"""What people do in Git: a real clone, real commits, a real push over HTTP, and pull requests through the forge's REST API."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import httpx

from reconciler.kernel.errors import Terminal
from reconciler_sandbox.githost.command import GitFailed, git
from reconciler_sandbox.githost.repository import person
from reconciler_sandbox.rehearsal.story import Edit, Push

ATTEMPTS = 6
CALL_SECONDS = 20.0
MOVED = (405, 409)


@dataclass(frozen=True, slots=True)
class Place:
    """Where people work: the clone address (token included), the REST root, their token and the repository's name."""

    clone_url: str
    api: str
    token: str
    repository: str


class People:
    """Everybody who writes to the repository by hand. They share one clone and take turns."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place = place
        self._folder = folder
        self._turn = asyncio.Lock()

    async def push(self, push: Push) -> str:
        """Commit and push on top of what is there; one line that says what came of it. Raises GitFailed or Terminal."""
        async with self._turn:
            sha = await self._pushed(push)
        if push.pull is None:
            return f"{sha[:7]} on {push.branch}"
        return await self._propose(push, push.pull.title, push.pull.merge)

    async def _pushed(self, push: Push) -> str:
        for attempt in range(1, ATTEMPTS + 1):
            sha = await self._committed(push)
            try:
                await git(self._folder, "push", "--quiet", "origin", f"HEAD:refs/heads/{push.branch}")
            except GitFailed as refused:
                if attempt == ATTEMPTS or not any(word in str(refused) for word in ("rejected", "fetch first", "lock")):
                    raise
                continue
            return sha
        raise AssertionError("the last attempt returns or raises")

    async def _committed(self, push: Push) -> str:
        """The change as one commit on the newest tip of its branch, or of main for a new branch."""
        await self._fetch()
        tip = await git(self._folder, "rev-parse", "--quiet", "--verify", f"refs/remotes/origin/{push.branch}", expected=(0, 1, 128))
        await git(self._folder, "checkout", "--quiet", "--force", "--detach", tip.text if tip.code == 0 else "refs/remotes/origin/main")
        for edit in push.edits:
            self._edit(edit)
        await git(self._folder, "add", "--all")
        author = person(push.author)
        names = {
            f"GIT_{role}_{what}": text
            for role in ("AUTHOR", "COMMITTER")
            for what, text in (("NAME", author.name), ("EMAIL", author.email))
        }
        await git(self._folder, "commit", "--quiet", "--allow-empty", "-m", push.message, variables=names)
        return (await git(self._folder, "rev-parse", "HEAD")).text

    async def _fetch(self) -> None:
        if not (self._folder / ".git").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            await git(self._folder, "clone", "--quiet", self._place.clone_url, ".")
            return
        await git(self._folder, "fetch", "--quiet", "--prune", "origin")

    def _edit(self, edit: Edit) -> None:
        path = self._folder / edit.file
        if edit.remove:
            path.unlink()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if edit.content is not None:
            path.write_text(edit.content, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        for old, new in edit.replace.items():
            if old not in text:
                raise Terminal(f"{edit.file}: {old!r} is not there to be replaced")
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    async def _propose(self, push: Push, title: str, merge: bool) -> str:
        headers = {"Authorization": f"Bearer {self._place.token}", "Accept": "application/vnd.github+json"}
        async with httpx.AsyncClient(base_url=self._place.api, headers=headers, timeout=CALL_SECONDS, trust_env=False) as client:
            pulls = f"/repos/{self._place.repository}/pulls"
            opened = await client.post(pulls, json={"title": title, "head": push.branch, "base": "main", "body": push.message})
            _must(opened)
            number = opened.json()["number"]
            if not merge:
                return f"pull request #{number} opened"
            merged = await client.put(f"{pulls}/{number}/merge", json={"merge_method": "merge"})
            for _ in range(ATTEMPTS):
                if merged.status_code not in MOVED:  # main moved in this very moment
                    break
                merged = await client.put(f"{pulls}/{number}/merge", json={"merge_method": "merge"})
            _must(merged)
            return f"pull request #{number} merged as {merged.json()['sha'][:7]}"


def _must(response: httpx.Response) -> None:
    if response.is_error:
        raise Terminal(f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text[:200]}")
