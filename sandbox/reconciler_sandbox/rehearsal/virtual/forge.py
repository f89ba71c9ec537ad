"""Where pull requests live, in memory: the part of GitHub's REST API that the daemon speaks, on the branches of a MemoryRemote."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import orjson

from reconciler_sandbox.rehearsal.virtual.remote import HEADS, MemoryRemote

FORGE = "http://forge.simulated"
REPOSITORY, BOT = "simulated/manifests", "reconciler[bot]"
Document = dict[str, Any]
Found = tuple[int, Any]
NOT_FOUND: Found = (404, {"message": "Not Found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPull:
    """One pull request."""

    number: int
    title: str
    author: str
    head: str
    base: str
    state: str = "open"
    merge_commit: str = ""


@dataclass(frozen=True, slots=True)
class MemoryComment:
    """One comment in the conversation of a pull request."""

    id: int
    pull: int
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class MemoryStatus:
    """One commit status: the newest of a context counts."""

    commit: str
    context: str
    state: str
    description: str
    target_url: str


@dataclass(slots=True)
class MemoryForge:
    """One repository with its pull requests, comments and statuses; whoever asks by HTTP is the bot."""

    remote: MemoryRemote
    pulls: list[MemoryPull] = field(default_factory=list)
    comments: list[MemoryComment] = field(default_factory=list)
    statuses: list[MemoryStatus] = field(default_factory=list)
    requests: int = 0
    _last_id: int = 1000

    def merged(self, commit: str, title: str, author: str = "ann") -> MemoryPull:
        """A person's pull request that made a commit of main."""
        pull = self._new(title, author, f"change-{len(self.pulls)}", "main")
        return self._keep(replace(pull, state="closed", merge_commit=commit))

    def merge_proposal(self, branch: str, commit: str) -> None:
        """The open pull request of a branch was merged by a commit."""
        for pull in self.pulls:
            if pull.head == branch and pull.state == "open":
                self._keep(replace(pull, state="closed", merge_commit=commit))

    def state_of(self, commit: str, context: str) -> str:
        """The commit status that people see; empty if there is none."""
        return next((s.state for s in reversed(self.statuses) if (s.commit, s.context) == (commit, context)), "")

    def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """One request to the API."""
        self.requests += 1
        document = orjson.loads(body) if body else {}
        for (method, pattern), respond in RESPONSES.items():
            fits = re.fullmatch(pattern, request.url.path)
            if fits and method == request.method:
                status, found = respond(self, fits.groups(), document | dict(request.url.params))
                return httpx.Response(status, content=b"" if found is None else orjson.dumps(found), request=request)
        return httpx.Response(NOT_FOUND[0], content=orjson.dumps(NOT_FOUND[1]), request=request)

    def _new(self, title: str, author: str, head: str, base: str) -> MemoryPull:
        pull = MemoryPull(number=len(self.pulls) + 1, title=title, author=author, head=head, base=base)
        self.pulls.append(pull)
        return pull

    def _keep(self, pull: MemoryPull) -> MemoryPull:
        self.pulls[pull.number - 1] = pull
        return pull

    def _shown(self, pull: MemoryPull) -> Document:
        tip = self.remote.store.refs.get(HEADS + pull.head, "")
        return {
            "number": pull.number,
            "html_url": f"{FORGE}/{REPOSITORY}/pull/{pull.number}",
            "title": pull.title,
            "user": {"login": pull.author},
            "state": pull.state,
            "head": {"ref": pull.head, "sha": tip},
            "base": {"ref": pull.base},
            "merge_commit_sha": pull.merge_commit or None,
            "merged_at": "2026-01-05T09:00:00Z" if pull.merge_commit else None,
        }

    # -- what is asked ------------------------------------------------------------------------------------------------

    def _user(self, _: tuple[str, ...], __: Document) -> Found:
        return 200, {"login": BOT}

    def _pulls_of(self, place: tuple[str, ...], _: Document) -> Found:
        commit = place[0]
        if commit not in self.remote.store.commits:
            return 422, {"message": f"No commit found for SHA: {commit}"}
        tips = {pull.number: self.remote.store.refs.get(HEADS + pull.head) for pull in self.pulls}
        return 200, [self._shown(p) for p in self.pulls if commit == p.merge_commit or (p.state == "open" and commit == tips[p.number])]

    def _listed(self, _: tuple[str, ...], asked: Document) -> Found:
        branch = str(asked.get("head", "")).partition(":")[2]
        wanted = (p for p in self.pulls if p.state == asked.get("state", "open") and branch in ("", p.head))
        return 200, [self._shown(pull) for pull in wanted]

    def _open(self, _: tuple[str, ...], wanted: Document) -> Found:
        head, base = str(wanted["head"]), str(wanted["base"])
        if any((p.head, p.base, p.state) == (head, base, "open") for p in self.pulls):
            return 422, {"message": "Validation Failed", "errors": [{"message": f"A pull request already exists for {head}."}]}
        if HEADS + head not in self.remote.store.refs:
            return 422, {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]}
        return 201, self._shown(self._new(str(wanted["title"]), BOT, head, base))

    def _close(self, place: tuple[str, ...], wanted: Document) -> Found:
        number = int(place[0])
        if number > len(self.pulls):
            return NOT_FOUND
        return 200, self._shown(self._keep(replace(self.pulls[number - 1], state=str(wanted["state"]))))

    def _conversation(self, place: tuple[str, ...], _: Document) -> Found:
        return 200, [_said(comment) for comment in self.comments if comment.pull == int(place[0])]

    def _comment(self, place: tuple[str, ...], wanted: Document) -> Found:
        if int(place[0]) > len(self.pulls):
            return NOT_FOUND
        self._last_id += 1
        self.comments.append(MemoryComment(self._last_id, int(place[0]), BOT, str(wanted["body"])))
        return 201, _said(self.comments[-1])

    def _rewrite(self, place: tuple[str, ...], wanted: Document) -> Found:
        for index, comment in enumerate(self.comments):
            if comment.id == int(place[0]):
                self.comments[index] = replace(comment, body=str(wanted["body"]))
                return 200, _said(self.comments[index])
        return NOT_FOUND

    def _remove(self, place: tuple[str, ...], _: Document) -> Found:
        kept = [comment for comment in self.comments if comment.id != int(place[0])]
        there, self.comments = len(kept) < len(self.comments), kept
        return (204, None) if there else NOT_FOUND

    def _label(self, _: tuple[str, ...], __: Document) -> Found:
        return 200, []

    def _status(self, place: tuple[str, ...], _: Document) -> Found:
        newest = {status.context: status for status in self.statuses if status.commit == place[0]}
        told = ("state", "context", "description", "target_url")
        return 200, {"statuses": [{name: getattr(status, name) for name in told} for status in newest.values()]}

    def _set_status(self, place: tuple[str, ...], wanted: Document) -> Found:
        if place[0] not in self.remote.store.commits:
            return 422, {"message": f"No commit found for SHA: {place[0]}"}
        told = (str(wanted.get(name, "")) for name in ("context", "state", "description", "target_url"))
        self.statuses.append(MemoryStatus(place[0], *told))
        return 201, {}


def _said(comment: MemoryComment) -> Document:
    where = f"{FORGE}/{REPOSITORY}/pull/{comment.pull}#issuecomment-{comment.id}"
    return {"id": comment.id, "body": comment.body, "html_url": where, "user": {"login": comment.author}}


ROOT = f"/repos/{REPOSITORY}"
Respond = Callable[[MemoryForge, tuple[str, ...], Document], Found]
RESPONSES: Mapping[tuple[str, str], Respond] = {
    ("GET", "/user"): MemoryForge._user,
    ("GET", f"{ROOT}/commits/([^/]+)/pulls"): MemoryForge._pulls_of,
    ("GET", f"{ROOT}/commits/([^/]+)/status"): MemoryForge._status,
    ("POST", f"{ROOT}/statuses/([^/]+)"): MemoryForge._set_status,
    ("GET", f"{ROOT}/pulls"): MemoryForge._listed,
    ("POST", f"{ROOT}/pulls"): MemoryForge._open,
    ("PATCH", rf"{ROOT}/pulls/(\d+)"): MemoryForge._close,
    ("GET", rf"{ROOT}/issues/(\d+)/comments"): MemoryForge._conversation,
    ("POST", rf"{ROOT}/issues/(\d+)/comments"): MemoryForge._comment,
    ("PATCH", rf"{ROOT}/issues/comments/(\d+)"): MemoryForge._rewrite,
    ("DELETE", rf"{ROOT}/issues/comments/(\d+)"): MemoryForge._remove,
    ("POST", rf"{ROOT}/issues/(\d+)/labels"): MemoryForge._label,
}
