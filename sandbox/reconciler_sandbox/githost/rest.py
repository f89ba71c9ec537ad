"""The REST API under /api/v3: finds the handler of a path, counts the rate limit, and turns refusals into GitHub's bodies."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from reconciler_sandbox.githost import commits, pulls, talk
from reconciler_sandbox.githost.access import Access, Unauthenticated
from reconciler_sandbox.githost.answers import Refusal, Reply, missing, written
from reconciler_sandbox.githost.calls import Call
from reconciler_sandbox.githost.hosted import Hosted

PREFIX = "/api/v3"
WINDOW = 3600
Handler = Callable[[Call], Awaitable[Reply]]

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/user", talk.read_user),
    ("GET", "/repos/{repo}/pulls", pulls.list_pulls),
    ("POST", "/repos/{repo}/pulls", pulls.create_pull),
    ("GET", "/repos/{repo}/pulls/{number#}", pulls.read_pull),
    ("PATCH", "/repos/{repo}/pulls/{number#}", pulls.update_pull),
    ("PUT", "/repos/{repo}/pulls/{number#}/merge", pulls.merge_pull),
    ("GET", "/repos/{repo}/issues/{number#}/comments", talk.list_comments),
    ("POST", "/repos/{repo}/issues/{number#}/comments", talk.create_comment),
    ("PATCH", "/repos/{repo}/issues/comments/{comment#}", talk.update_comment),
    ("DELETE", "/repos/{repo}/issues/comments/{comment#}", talk.delete_comment),
    ("POST", "/repos/{repo}/issues/{number#}/labels", talk.add_labels),
    ("POST", "/repos/{repo}/statuses/{sha}", commits.create_status),
    ("GET", "/repos/{repo}/commits/{ref*}/pulls", commits.pulls_of_commit),
    ("GET", "/repos/{repo}/commits/{ref*}/status", commits.combined_status),
)
KINDS = {"": "[^/]+", "*": ".+", "#": r"\d{1,12}"}


def pattern(template: str) -> re.Pattern[str]:
    """`{x}` is one path segment, `{x*}` several, `{x#}` a number, `{repo}` owner/name."""
    template = template.replace("{repo}", "(?P<repo>[^/]+/[^/]+)")
    return re.compile(re.sub(r"\{(\w+)([*#]?)\}", lambda m: f"(?P<{m[1]}>{KINDS[m[2]]})", template))


TABLE = tuple((method, pattern(template), handler) for method, template, handler in ROUTES)


def find(method: str, path: str) -> tuple[Handler, Mapping[str, str]]:
    """The handler of a call and the words in its path; 404 if there is none, as GitHub also says to a wrong method."""
    for wanted, expression, handler in TABLE:
        match = expression.fullmatch(path)
        if match and wanted == method:
            return handler, {key: unquote(value) for key, value in match.groupdict().items()}
    raise missing()


class Rest:
    """The API over a set of repositories; `site` is the address that documents point to."""

    def __init__(self, repositories: Mapping[str, Hosted], access: Access, limit: int) -> None:
        self.site = ""
        self._repositories = repositories
        self._access = access
        self._limit = limit
        self._used: dict[str, int] = {}
        self._resets = 0

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; everything that goes wrong has GitHub's shape."""
        try:
            user = self._access.identify(request.headers.get("Authorization"))
        except Unauthenticated as error:
            return written(Refusal(401, str(error)).reply, None)
        try:
            self._admit(user)
            reply = await self._reply(request, user)
        except Refusal as refusal:
            reply = refusal.reply
        response = written(replace(reply, headers={**reply.headers, **self._rate(user)}), request.headers.get("If-None-Match"))
        if response.status == 304:
            self._used[user] -= 1
            response.headers.update(self._rate(user))
        return response

    async def _reply(self, request: web.BaseRequest, user: str) -> Reply:
        handler, params = find(request.method, request.rel_url.raw_path.removeprefix(PREFIX))
        hosted = self._repositories.get(params.get("repo", ""))
        if "repo" in params and hosted is None:
            raise missing()
        body = _body(await request.read())
        url = request.url.with_path(request.rel_url.raw_path, encoded=True, keep_query=True)
        call = Call(site=self.site, url=url, user=user, access=self._access, hosted=hosted, params=params, body=body)
        return await handler(call)

    def _admit(self, user: str) -> None:
        now = int(time.time())
        if now >= self._resets:
            self._resets, self._used = now + WINDOW, {}
        if self._used.get(user, 0) >= self._limit:
            raise Refusal(403, f"API rate limit exceeded for user {user}.")
        self._used[user] = self._used.get(user, 0) + 1

    def _rate(self, user: str) -> dict[str, str]:
        used = self._used.get(user, 0)
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(max(self._limit - used, 0)),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Reset": str(self._resets),
            "X-RateLimit-Resource": "core",
        }


def _body(raw: bytes) -> Mapping[str, Any]:
    if not raw:
        return {}
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "Problems parsing JSON") from error
    if not isinstance(document, dict):
        raise Refusal(400, "Body should be a JSON object")
    return document
