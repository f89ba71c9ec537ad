"""GitHub and what speaks its REST API: pull requests, one living comment per marker, commit statuses."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx

from reconciler.forges.rest import ForgeNotFound, Invalid, Order, Rest, Token, TooManyPages
from reconciler.kernel.address import is_web_address
from reconciler.kernel.errors import Terminal, Transient
from reconciler.releases.announce.forge import Announced, Announcement, Proposal, PullRequest, PullState
from reconciler.releases.announce.markdown import cut, shortened

API = "https://api.github.com"
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
READ_PULLS, WRITE_PULLS = "Pull requests: read", "Pull requests: write"
READ_STATUSES, WRITE_STATUSES = "Commit statuses: read", "Commit statuses: write"
TITLE_LIMIT = 256
REMEMBERED = 1000
LONGEST_URL = 2000


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of ours."""

    id: int
    body: str
    url: str


class GitHub:
    """One repository, `owner/name`, on one GitHub. What was announced last is remembered, so that saying it again costs no request."""

    def __init__(self, repository: str, token: Token, client: httpx.AsyncClient, api: str = API) -> None:
        self._repository = repository
        self._owner = repository.partition("/")[0]
        self._token = token
        self._rest = Rest(api, client, token, HEADERS)
        self._login: tuple[bytes, str] = (b"", "")
        self._told: OrderedDict[tuple[object, ...], tuple[Announcement, Announced]] = OrderedDict()

    # -- whose pull request -------------------------------------------------------------------------------------------

    async def pull_of(self, commit: str) -> PullRequest | None:
        """The one whose merge made the commit, else a merged one that contains it, else an open one."""
        order = self._order("GET", f"/commits/{quote(commit, safe='')}/pulls", READ_PULLS)
        try:
            pulls = [pull_from(item) async for item in self._items(order)]
        except Invalid:
            return None  # GitHub answers 422 for a commit that it does not have
        return min((pull for pull in pulls if pull.state != PullState.CLOSED), key=lambda pull: _nearness(pull, commit), default=None)

    # -- announcements ------------------------------------------------------------------------------------------------

    async def announce(self, announcement: Announcement) -> Announced:
        """The status first, because machines wait for it; then the comment."""
        wanted = replace(announcement, description=shortened(announcement.description))
        place = (wanted.pull, wanted.commit, wanted.context, wanted.marker)
        told = self._told.get(place)
        if told and told[0] == wanted:
            return replace(told[1], changed=False)
        changed = await self._set_status(wanted)
        comment, rewritten = await self._say(wanted)
        announced = Announced(changed=changed or rewritten, comment_url=comment.url if comment else None)
        self._remember(place, wanted, announced)
        return announced

    def _remember(self, place: tuple[object, ...], wanted: Announcement, announced: Announced) -> None:
        # An older commit's words about the same comment are no longer what people read.
        comment = (wanted.pull, wanted.marker)
        stale = [known for known, told in self._told.items() if wanted.pull is not None and (told[0].pull, told[0].marker) == comment]
        for known in stale:
            del self._told[known]
        self._told[place] = (wanted, announced)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    async def _set_status(self, wanted: Announcement) -> bool:
        """GitHub keeps 1,000 statuses per commit and context, so an equal one is not added."""
        document = {
            "state": wanted.status.value,
            "context": wanted.context,
            "description": wanted.description,
            "target_url": wanted.target_url,
        }
        if await self._status(wanted) == document:
            return False
        sent = {key: value for key, value in document.items() if value}
        await self._rest.send(replace(self._order("POST", f"/statuses/{wanted.commit}", WRITE_STATUSES), document=sent))
        return True

    async def _status(self, wanted: Announcement) -> dict[str, str] | None:
        order = self._order("GET", f"/commits/{wanted.commit}/status", READ_STATUSES)
        async for item in self._items(order, "statuses"):
            if item.get("context") == wanted.context:
                return {key: _text(item, key) for key in ("state", "context", "description", "target_url")}
        return None

    async def _say(self, wanted: Announcement) -> tuple[Comment | None, bool]:
        """The comment as people see it, and whether it had to be written; duplicates of ours go, the lowest id stays.

        Where there are more comments than we read, ours may be among the rest: none is written then, as each time would add one.
        """
        if wanted.pull is None:
            return None, False
        body = cut(f"{wanted.marker}\n{wanted.body}")
        mine, all_read = await self._ours(wanted)
        if not mine and not all_read:
            return None, False
        comment, written = await self._written(wanted, mine[0] if mine else None, body)
        for duplicate in mine[1:]:
            with suppress(ForgeNotFound):
                await self._rest.send(self._order("DELETE", f"/issues/comments/{duplicate.id}", WRITE_PULLS))
        return comment, written or len(mine) > 1

    async def _written(self, wanted: Announcement, known: Comment | None, body: str) -> tuple[Comment, bool]:
        if known and _same(known.body, body):
            return known, False
        if known:
            with suppress(ForgeNotFound):  # deleted a moment ago: say it again
                changed = self._order("PATCH", f"/issues/comments/{known.id}", WRITE_PULLS)
                return comment_from(await self._rest.send(replace(changed, document={"body": body}))), True
        made = self._order("POST", f"/issues/{wanted.pull}/comments", WRITE_PULLS)
        return comment_from(await self._rest.send(replace(made, document={"body": body}))), True

    async def _ours(self, wanted: Announcement) -> tuple[list[Comment], bool]:
        """Our own comments with this marker in the first line, lowest id first, and whether all comments were read.

        A marker can be written by any person.
        """
        login = await self._me()
        order = self._order("GET", f"/issues/{wanted.pull}/comments", READ_PULLS)
        items: list[dict[str, Any]] = []
        all_read = True
        try:
            async for item in self._items(order, whole=True):
                items += [item] if login_of(item) == login else []
        except TooManyPages:
            all_read = False
        comments = [comment_from(item) for item in items if _text(item, "body").partition("\n")[0].strip() == wanted.marker]
        return sorted(comments, key=lambda comment: comment.id), all_read

    async def _me(self) -> str:
        """The user behind the token, asked again when the token changes."""
        print_of_token = sha256((await self._token()).encode()).digest()
        if self._login[0] != print_of_token:
            user = await self._rest.send(Order(method="GET", path="/user", permission="to belong to a user"))
            self._login = (print_of_token, _required(user, "login"))
        return self._login[1]

    # -- proposals ----------------------------------------------------------------------------------------------------

    async def propose(self, proposal: Proposal) -> PullRequest | None:
        """The open pull request of the branch if there is one, else a new one."""
        pull = await self._proposed(proposal)
        if pull is None:
            pull = await self._opened(proposal)
            await self._label(pull.number, proposal.labels)
        return pull

    async def withdraw(self, head: str, base: str, words: str) -> None:
        """Close the open pull request of one of our branches, with a comment that says why; nothing where none is open."""
        pull = await self._proposed(Proposal(head=head, base=base, title="", body=""))
        if pull is None:
            return
        said = self._order("POST", f"/issues/{pull.number}/comments", WRITE_PULLS)
        await self._rest.send(replace(said, document={"body": cut(words)}))
        closed = self._order("PATCH", f"/pulls/{pull.number}", WRITE_PULLS)
        await self._rest.send(replace(closed, document={"state": "closed"}))

    async def _proposed(self, proposal: Proposal) -> PullRequest | None:
        query = {"head": f"{self._owner}:{proposal.head}", "base": proposal.base, "state": "open"}
        async for item in self._items(self._order("GET", "/pulls", READ_PULLS), query=query):
            if _branch(item, "head") == proposal.head and _branch(item, "base") == proposal.base:
                return pull_from(item)
        return None

    async def _opened(self, proposal: Proposal) -> PullRequest:
        document = {
            "head": proposal.head,
            "base": proposal.base,
            "title": shortened(proposal.title, TITLE_LIMIT),
            "body": cut(proposal.body),
        }
        try:
            return pull_from(await self._rest.send(replace(self._order("POST", "/pulls", WRITE_PULLS), document=document)))
        except Invalid as error:
            if "already exists" in error.words and (pull := await self._proposed(proposal)):
                return pull
            raise

    async def _label(self, number: int, labels: tuple[str, ...]) -> None:
        if not labels:
            return
        with suppress(Terminal):  # a proposal without its labels is still the proposal
            document = {"labels": list(labels)}
            await self._rest.send(replace(self._order("POST", f"/issues/{number}/labels", WRITE_PULLS), document=document))

    # -- the wire -----------------------------------------------------------------------------------------------------

    def _order(self, method: str, path: str, permission: str) -> Order:
        return Order(method=method, path=f"/repos/{self._repository}{path}", permission=f'"{permission}" on {self._repository}')

    async def _items(self, order: Order, key: str = "", query: dict[str, str] | None = None, *, whole: bool = False) -> AsyncIterator[Any]:
        """The objects of a list on its pages; `key` names it inside an object. With `whole`, raises TooManyPages where more are left."""
        try:
            async for document in self._rest.pages(replace(order, query={"per_page": "100", **(query or {})})):
                listed = document.get(key) if key and isinstance(document, dict) else document
                if not isinstance(listed, list):
                    raise _strange("a list")
                for item in listed:
                    if isinstance(item, dict):
                        yield item
        except TooManyPages:
            if whole:
                raise


def pull_from(document: Any) -> PullRequest:
    """A pull request out of GitHub's document. Before the merge `merge_commit_sha` is only a trial merge and says nothing."""
    merged = bool(_text(document, "merged_at"))
    state = PullState.MERGED if merged else PullState.OPEN if _text(document, "state") == "open" else PullState.CLOSED
    return PullRequest(
        number=_number(document, "number"),
        url=_address(document),
        title=shortened(_text(document, "title"), TITLE_LIMIT),
        author=login_of(document),
        state=state,
        merge_commit=(_text(document, "merge_commit_sha") or None) if merged else None,
    )


def _address(document: Any) -> str:
    """Where people read it; empty for what is no address of a page, or is longer than any."""
    url = _text(document, "html_url")
    return url if is_web_address(url) and len(url) <= LONGEST_URL else ""


def comment_from(document: Any) -> Comment:
    return Comment(_number(document, "id"), _text(document, "body"), _text(document, "html_url"))


def login_of(document: Any) -> str:
    """Who wrote it; empty for a deleted account."""
    return _text(document.get("user") if isinstance(document, dict) else None, "login")


def _nearness(pull: PullRequest, commit: str) -> tuple[bool, bool, int]:
    return pull.merge_commit != commit, pull.state != PullState.MERGED, -pull.number


def _branch(document: dict[str, Any], side: str) -> str:
    return _text(document.get(side), "ref")


def _same(left: str, right: str) -> bool:
    """Equal as people read them: GitHub may store other line ends."""
    return left.replace("\r\n", "\n").rstrip() == right.rstrip()


def _text(document: Any, key: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _required(document: Any, key: str) -> str:
    value = _text(document, key)
    if not value:
        raise _strange(key)
    return value


def _number(document: Any, key: str) -> int:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _strange(key)
    return value


def _strange(missing: str) -> Transient:
    return Transient(f"GitHub's answer lacks {missing}; is this the address of the API?")
