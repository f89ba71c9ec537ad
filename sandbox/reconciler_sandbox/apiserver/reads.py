"""Reads: one object, lists in pages, watches; always as JSON, what else is asked for is refused (406)."""

import base64
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from reconciler_sandbox.apiserver import listing
from reconciler_sandbox.apiserver.failures import bad_request, expired, not_acceptable, version_ahead
from reconciler_sandbox.apiserver.kinds import Kind, as_served
from reconciler_sandbox.apiserver.listing import number
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.selectors import Predicate, predicate
from reconciler_sandbox.apiserver.store import Collection, Entry, Store
from reconciler_sandbox.apiserver.watch import WatchOptions, WatchStream

Manifest = dict[str, Any]
WATCH_SECONDS = 1800.0
MEDIA_TYPES = ("application/json", "application/*", "*/*")
CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. Start a new list without the continue parameter."
)


def require_json(accept: str) -> None:
    """Refuse an Accept header that takes no plain JSON: no Tables, no metadata alone, no protobuf. Raises Failure 406."""
    asked = [part.split(";") for part in accept.split(",") if part.strip()]
    if asked and not any(form.strip() in MEDIA_TYPES and not any("as=" in one for one in parameters) for form, *parameters in asked):
        raise not_acceptable("only the following media types are accepted: application/json")


class Reader:
    """Answers GETs from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check_version(self, query: Mapping[str, str]) -> None:
        """Raises Failure 500 for a version that is no number, 504 for one that is yet to come."""
        asked = listing.version_of(query)
        if asked > self._store.version:
            raise version_ahead(asked, self._store.version)

    def listed(self, target: Target, query: Mapping[str, str]) -> bytes:
        """A page of a collection, with what is needed to go on."""
        page = self._page(target, query)
        metadata: Manifest = {"resourceVersion": str(page.version)}
        if page.next:
            metadata["continue"] = page.next
        if page.remaining:
            metadata["remainingItemCount"] = page.remaining
        return written_list(target.kind, page.entries, metadata)

    def select(self, target: Target, query: Mapping[str, str]) -> list[Entry]:
        """The entries that a collection path and its selectors name, in order."""
        return self._collection(target).sorted(_namespace(target), _matches(target, query))

    def _collection(self, target: Target) -> Collection:
        return self._store.collection(target.kind.group, target.kind.plural)

    def _page(self, target: Target, query: Mapping[str, str]) -> "_Page":
        listing.validate(query)
        limit = max(number(query, "limit"), 0)
        if query.get("continue"):
            return self._next_page(target, query, limit)
        self.check_version(query)
        if listing.exact_version(query) not in (0, self._store.version):
            raise bad_request("the sandbox lists what is there now: resourceVersionMatch Exact is for the present version only")
        found = _Found(self.select(target, query), self._store.version)
        return self._cut(target, query, found, 0 if query.get("resourceVersion") == "0" else limit)

    def _next_page(self, target: Target, query: Mapping[str, str], limit: int) -> "_Page":
        if query.get("resourceVersion") not in (None, "", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        version, start = _parse_continue(query["continue"])
        collection = self._collection(target)
        entries = self._store.snapshot(_snapshot_name(target, query, version)) if version >= collection.oldest else None
        if entries is None and max(collection.version, collection.oldest) <= version <= self._store.version:
            entries = self.select(target, query)
        if entries is None:
            raise _expired_continue(_continue_token(self._store.version, start))
        first = bisect_left([_place(entry) for entry in entries], start)
        return self._cut(target, query, _Found(entries, version, first), limit)

    def _cut(self, target: Target, query: Mapping[str, str], found: "_Found", limit: int) -> "_Page":
        end = found.first + limit if limit else len(found.entries)
        page = found.entries[found.first : end]
        if end >= len(found.entries):
            return _Page(page, found.version)
        self._store.keep_snapshot(_snapshot_name(target, query, found.version), found.entries)
        selected = query.get("labelSelector") or query.get("fieldSelector")
        remaining = 0 if selected else len(found.entries) - end
        return _Page(page, found.version, _continue_token(found.version, _place(found.entries[end])), remaining)

    def watch(self, target: Target, query: Mapping[str, str]) -> WatchStream:
        """A watch of a collection."""
        initial = listing.validate_watch(query)
        version = listing.version_of(query)
        options = WatchOptions(
            namespace=_namespace(target),
            matches=_matches(target, query),
            since=None if initial or not version else version,
            initial_end=initial,
            bookmarks=query.get("allowWatchBookmarks") in ("true", "1"),
            seconds=float(number(query, "timeoutSeconds") or WATCH_SECONDS),
        )
        return WatchStream(self._store, target.kind, options, partial(encoded, target.kind))


@dataclass(frozen=True, slots=True)
class _Found:
    entries: list[Entry]
    version: int
    first: int = 0


@dataclass(frozen=True, slots=True)
class _Page:
    entries: list[Entry]
    version: int
    next: str = ""
    remaining: int = 0


def written_list(kind: Kind, entries: Sequence[Entry], metadata: Manifest) -> bytes:
    """A list as JSON."""
    head = orjson.dumps({"kind": kind.list_name, "apiVersion": kind.api_version, "metadata": metadata})
    return b'%b,"items":[%b]}' % (head[:-1], b",".join([_item(kind, entry) for entry in entries]))


def encoded(kind: Kind, entry: Entry) -> bytes:
    """An entry as JSON in the version that was asked for."""
    if entry.manifest["apiVersion"] == kind.api_version:
        return entry.encoded
    return orjson.dumps(as_served(kind, entry.manifest))


def _item(kind: Kind, entry: Entry) -> bytes:
    """An entry in a list: built-in kinds do not repeat there what the list says of them, custom ones do."""
    written = encoded(kind, entry)
    if kind.custom:
        return written
    head = b'{"apiVersion":"%b","kind":"%b",' % (kind.api_version.encode(), kind.kind.encode())
    if written.startswith(head):
        return b"{" + written[len(head) :]
    return orjson.dumps({name: value for name, value in as_served(kind, entry.manifest).items() if name not in ("apiVersion", "kind")})


def _namespace(target: Target) -> str | None:
    return target.namespace if target.namespace else None


def _matches(target: Target, query: Mapping[str, str]) -> Predicate | None:
    matches = predicate(target.kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    if not target.name:
        return matches
    return lambda manifest: manifest["metadata"]["name"] == target.name and (matches is None or matches(manifest))


def _place(entry: Entry) -> str:
    metadata = entry.manifest["metadata"]
    return f"{metadata.get('namespace', '')}\0{metadata['name']}"


def _continue_token(version: int, start: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start})).decode().rstrip("=")


def _parse_continue(token: str) -> tuple[int, str]:
    try:
        parsed = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(parsed["rv"]), str(parsed["start"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {type(error).__name__}") from error


def _expired_continue(token: str) -> Exception:
    failure = expired(CONTINUE_TOO_OLD)
    failure.metadata["continue"] = token
    return failure


def _snapshot_name(target: Target, query: Mapping[str, str], version: int) -> str:
    selectors = (query.get("labelSelector", ""), query.get("fieldSelector", ""))
    return "\0".join((target.kind.qualified, target.namespace, *selectors, str(version)))
