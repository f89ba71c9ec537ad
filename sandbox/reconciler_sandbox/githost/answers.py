"""The shape of GitHub's answers: error bodies, pages with Link headers, ETags."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from yarl import URL

DOCUMENTATION = "https://docs.github.com/rest"
PAGE, LARGEST_PAGE = 30, 100


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the REST API before it is written: `document` becomes JSON, None an empty body."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer that is not a success: GitHub's status, message and field errors."""

    def __init__(self, status: int, message: str, *errors: Mapping[str, str], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        document: dict[str, Any] = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        if errors:
            document["errors"] = list(errors)
        self.reply = Reply(status, document, headers or {})


def invalid(resource: str, field_name: str, message: str = "", code: str = "custom") -> Refusal:
    """422 "Validation Failed" about one field."""
    fault = {"resource": resource, "field": field_name, "code": code}
    return Refusal(422, "Validation Failed", {**fault, "message": message} if message else fault)


def missing() -> Refusal:
    """404: it does not exist, or the caller may not know that it does."""
    return Refusal(404, "Not Found")


def number(text: str | None, default: int, largest: int) -> int:
    return min(max(int(text), 1), largest) if text and text.isdecimal() else default


def page(items: Sequence[Any], url: URL) -> Reply:
    """The page of `items` that the query asks for, with the Link header to its neighbours."""
    size = number(url.query.get("per_page"), PAGE, LARGEST_PAGE)
    current = number(url.query.get("page"), 1, 1_000_000)
    last = max(1, -(-len(items) // size))
    places = {"prev": current - 1, "next": current + 1, "last": last, "first": 1}
    present = [k for k in places if (current > 1 if k in ("prev", "first") else current < last)]
    links = ", ".join(f'<{url.update_query(page=str(places[k]), per_page=str(size))}>; rel="{k}"' for k in present)
    return Reply(200, list(items[(current - 1) * size : current * size]), {"Link": links} if links else {})


def written(reply: Reply, unless: str | None) -> web.Response:
    """The HTTP response; a successful one carries an ETag, and 304 without body if the caller has it already."""
    if reply.document is None:
        return web.Response(status=reply.status, headers=reply.headers)
    body = json.dumps(reply.document).encode()
    headers = dict(reply.headers)
    if reply.status == 200:
        headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()}"'
    if reply.status == 200 and unless == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(status=reply.status, body=body, content_type="application/json", charset="utf-8", headers=headers)
