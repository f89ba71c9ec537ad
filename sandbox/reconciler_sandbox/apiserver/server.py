"""The whole API server behind one function, `call`: used in process as it is, and over HTTP by `serving`."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from reconciler_sandbox.apiserver import verbs
from reconciler_sandbox.apiserver.bodies import decode_object, failure_of, header
from reconciler_sandbox.apiserver.collector import Collector
from reconciler_sandbox.apiserver.customs import Definitions
from reconciler_sandbox.apiserver.deletion import Remover
from reconciler_sandbox.apiserver.discovery import Discovery
from reconciler_sandbox.apiserver.expiry import Expiry
from reconciler_sandbox.apiserver.failures import Failure, bad_request, conflict, method_not_allowed, not_found
from reconciler_sandbox.apiserver.kinds import Registry, as_served
from reconciler_sandbox.apiserver.kubeconfig import kubeconfig
from reconciler_sandbox.apiserver.listing import asks_to_watch
from reconciler_sandbox.apiserver.options import Deletion, WriteOptions
from reconciler_sandbox.apiserver.patching import applied, parse, patched
from reconciler_sandbox.apiserver.paths import Target
from reconciler_sandbox.apiserver.paths import parse as parse_path
from reconciler_sandbox.apiserver.reads import Reader, encoded, require_json, written_list
from reconciler_sandbox.apiserver.serving import Listener
from reconciler_sandbox.apiserver.store import Store, TooLarge
from reconciler_sandbox.apiserver.subresources import Subresources, scale_of
from reconciler_sandbox.apiserver.watch import WatchStream
from reconciler_sandbox.apiserver.writes import Writer, Written
from reconciler_sandbox.client import Answer, Call

Manifest = dict[str, Any]
JSON: Mapping[str, str] = {"content-type": "application/json"}
TEXT: Mapping[str, str] = {"content-type": "text/plain"}
HEALTH = frozenset({"healthz", "readyz", "livez"})
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
MADE_BY_PUT = frozenset({"leases.coordination.k8s.io", "events"})

Fault = Callable[[Call], Awaitable[Answer | None]]
FaultAfter = Callable[[Call, Answer], Awaitable[Answer | None]]
Logs = Callable[[str, str, Mapping[str, str]], AsyncIterator[bytes]]
"""Namespace, pod and the options of the request → the log in parts. Raises LookupError for what has no log."""


async def no_faults(call: Call) -> Answer | None:
    """Let every call through."""
    return None


async def no_faults_after(call: Call, answer: Answer) -> Answer | None:
    """Let every answer through."""
    return None


async def no_logs(namespace: str, pod: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
    """Every log is empty."""
    empty: tuple[bytes, ...] = ()
    for part in empty:
        yield part


class ApiServer:
    """A Kubernetes API server. `call` answers alone; `start` adds HTTP and the collectors, which carry deletions through.

    `faults` is asked before each call and may answer it, wait, or raise ConnectionResetError (the connection breaks);
    `faults_after` is asked with the answer, after the write was done.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        logs: Logs = no_logs,
        seed: int | None = None,
    ) -> None:
        self.store = Store()
        self.registry = Registry()
        self.faults: Fault = no_faults
        self.faults_after: FaultAfter = no_faults_after
        self.logs = logs
        self._discovery = Discovery(self.registry)
        self._writer = Writer(self.store, now, random.Random(seed))
        self._remover = Remover(self.store, now)
        self._reader = Reader(self.store)
        self._subresources = Subresources(self.store, self._writer, self._remover)
        self._definitions = Definitions(self.registry, self.store)
        self._collector = Collector(self.store, self.registry, self._remover)
        self._listener = Listener(self.call)
        self._collecting: asyncio.Task[None] | None = None
        self._expiry = Expiry(self.store, now)
        self.store.observers += [self._definitions.observe, self._collector.observe, self._expiry.observe]
        self._found_namespaces()

    def _found_namespaces(self) -> None:
        kind = self.registry.kinds[("", "v1", "namespaces")]
        for name in NAMESPACES:
            if ("", name) not in self.store.collection("", "namespaces").entries:
                self._writer.create(Target(kind), {"metadata": {"name": name}}, WriteOptions())

    @property
    def url(self) -> str:
        """Where it listens, once started."""
        return self._listener.url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, and run the collectors until `stop`."""
        await self._listener.start(host, port)
        self._collecting = asyncio.create_task(self.collect(), name="collectors")

    async def collect(self) -> None:
        """Carry deletions through and let Events go, until cancelled; `start` does it too."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._collector.run(), name="garbage collection")
            group.create_task(self._expiry.run(), name="event expiry")

    async def stop(self) -> None:
        """End every watch in good order, stop listening and collecting."""
        for stream in self._streams():
            stream.end()
        await self._listener.stop()
        if self._collecting is not None:
            self._collecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._collecting

    def kubeconfig(self) -> str:
        """A kubeconfig, as YAML, with which kubectl reaches this server."""
        return kubeconfig(self.url)

    def cut_watches(self) -> None:
        """Break every open watch, as a failing network does."""
        for stream in self._streams():
            stream.cut()

    def forget_history(self) -> None:
        """Behave as after a compaction: watches and lists from earlier versions have expired (410)."""
        for collection in self.store.collections.values():
            collection.forget_history(self.store.version)

    def _streams(self) -> list[WatchStream]:
        return [one for collection in self.store.collections.values() for one in collection.watchers if isinstance(one, WatchStream)]

    async def call(self, call: Call) -> Answer:
        """Answer one request. Raises only what a fault raises."""
        answer = await self.faults(call)
        if answer is None:
            answer = self._answer(call)
        return await self.faults_after(call, answer) or answer

    def _answer(self, call: Call) -> Answer:
        try:
            return self._respond(call)
        except Failure as failure:
            return refused(failure)
        except TooLarge as refusal:
            return refused(Failure(500, "", str(refusal)))
        except Exception as error:  # a bug of this server is an answer to its client, as in a real one
            return refused(failure_of(error))

    def _respond(self, call: Call) -> Answer:
        if call.path.split("/")[1] in HEALTH:
            return Answer(200, TEXT, b"ok")
        path = call.path.rstrip("/") or "/"
        if call.method == "GET" and (document := self._discovery.find(path)):
            known = header(call.headers, "if-none-match") == document.etag
            return Answer(304 if known else 200, {**JSON, "etag": document.etag}, b"" if known else document.body)
        return self._resource(call, path)

    def _resource(self, call: Call, path: str) -> Answer:
        target = parse_path(self.registry, path)
        verbs.require(target, call.method)
        respond = RESPONSES.get((call.method, bool(target.name), target.subresource), RESPONSES.get((call.method, bool(target.name), "*")))
        if respond is None:
            raise method_not_allowed()
        return respond(self, target, call)

    def _read(self, target: Target, call: Call) -> Answer:
        require_json(header(call.headers, "accept"))
        if not target.name and asks_to_watch(call):
            return Answer(200, JSON, self._reader.watch(target, call.query))
        if not target.name:
            return Answer(200, JSON, self._reader.listed(target, call.query))
        self._reader.check_version(call.query)
        return Answer(200, JSON, encoded(target.kind, self._writer.find(target)))

    def _read_scale(self, target: Target, call: Call) -> Answer:
        scale = target.kind.scale
        if scale is None:
            raise not_found(target.kind, target.name)
        return _json(200, scale_of(scale, self._writer.find(target).manifest))

    def _read_log(self, target: Target, call: Call) -> Answer:
        pod = self._writer.find(target).manifest
        _require_container(pod, call.query.get("container", ""))
        if not pod["spec"].get("nodeName"):
            return Answer(204, {}, b"")  # nobody has run it yet
        try:
            return Answer(200, TEXT, self.logs(target.namespace, target.name, call.query))
        except LookupError as error:
            raise bad_request(str(error)) from error

    def _create(self, target: Target, call: Call) -> Answer:
        body = decode_object(call.headers, call.body)
        return self._written(target, self._writer.create(target, body, self._options(call), call.body))

    def _options(self, call: Call) -> WriteOptions:
        return WriteOptions.parse(call.query, header(call.headers, "user-agent"), call.method)

    def _written(self, target: Target, written: Written) -> Answer:
        warnings = {"warning": ", ".join(f"299 - {orjson.dumps(text).decode()}" for text in written.warnings)} if written.warnings else {}
        status = 201 if written.created else 200
        if written.entry is not None:
            return Answer(status, {**JSON, **warnings}, encoded(target.kind, written.entry))
        return _json(status, as_served(target.kind, written.manifest), warnings)

    def _replace(self, target: Target, call: Call) -> Answer:
        body, options = decode_object(call.headers, call.body), self._options(call)
        made = target.kind.qualified in MADE_BY_PUT
        if made and target.place not in self.store.collection(target.kind.group, target.kind.plural).entries:
            return self._written(target, self._writer.create(target, body, options, call.body))
        return self._written(target, self._writer.update(target, body, options, call.body))

    def _replace_scale(self, target: Target, call: Call) -> Answer:
        return _json(200, self._subresources.put_scale(target, decode_object(call.headers, call.body), self._options(call)))

    def _patch(self, target: Target, call: Call) -> Answer:
        patch = parse(target.kind, call.headers, call.body)
        options = self._options(call).of_patch(applies=patch.applies)
        entry = self.store.collection(target.kind.group, target.kind.plural).entries.get(target.place)
        if entry is None and patch.applies and not target.subresource:
            new = applied(target, {}, patch.value, options, self._writer.moment())
            if new["metadata"].get("resourceVersion"):
                raise conflict(target.kind, target.name)
            return self._written(target, self._writer.create(target, new, options, call.body))
        old = self._writer.attributed(target) if patch.applies else self._writer.find(target).manifest
        new = patched(target, old, patch, options, self._writer.moment())
        return self._written(target, self._writer.update(target, new, options, call.body))

    def _patch_scale(self, target: Target, call: Call) -> Answer:
        return _json(200, self._subresources.patch_scale(target, call.headers, call.body, self._options(call)))

    def _delete(self, target: Target, call: Call) -> Answer:
        deletion = Deletion.parse(call.query, decode_object(call.headers, call.body))
        left = self._remover.delete(target, self._writer.find(target), deletion)
        return _json(200, left if left["kind"] == "Status" else as_served(target.kind, left))

    def _delete_collection(self, target: Target, call: Call) -> Answer:
        deletion = Deletion.parse(call.query, decode_object(call.headers, call.body))
        entries = self._reader.select(target, call.query)
        for entry in entries:
            fields = entry.manifest["metadata"]
            self._remover.delete(Target(target.kind, fields.get("namespace", ""), fields["name"]), entry, deletion)
        return Answer(200, JSON, written_list(target.kind, entries, {"resourceVersion": str(self.store.version)}))

    def _evict(self, target: Target, call: Call) -> Answer:
        return _json(201, self._subresources.evict(target, call.headers, call.body))

    def _bind(self, target: Target, call: Call) -> Answer:
        return _json(201, self._subresources.bind(target, call.headers, call.body))


def _require_container(pod: Manifest, wanted: str) -> None:
    """A log is of one container. Raises Failure 400 for one that is not there, or not said where there are several."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    names, first = ([str(one.get("name")) for one in spec.get(field) or ()] for field in ("containers", "initContainers"))
    if not wanted and len(names) > 1:
        others = f" or one of the init containers: [{' '.join(first)}]" if first else ""
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]{others}")
    if wanted and wanted not in (*names, *first):
        raise bad_request(f"container {wanted} is not valid for pod {name}")


Respond = Callable[[ApiServer, Target, Call], Answer]
# Method, whether the path names an object, and the subresource ("*": none of the others) → what answers.
RESPONSES: Mapping[tuple[str, bool, str], Respond] = {
    ("GET", False, "*"): ApiServer._read,
    ("GET", True, "*"): ApiServer._read,
    ("GET", True, "scale"): ApiServer._read_scale,
    ("GET", True, "log"): ApiServer._read_log,
    ("POST", False, "*"): ApiServer._create,
    ("POST", True, "eviction"): ApiServer._evict,
    ("POST", True, "binding"): ApiServer._bind,
    ("PUT", True, "*"): ApiServer._replace,
    ("PUT", True, "scale"): ApiServer._replace_scale,
    ("PATCH", True, "*"): ApiServer._patch,
    ("PATCH", True, "scale"): ApiServer._patch_scale,
    ("DELETE", True, "*"): ApiServer._delete,
    ("DELETE", False, "*"): ApiServer._delete_collection,
}


def _json(status: int, content: Manifest, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, {**JSON, **(headers or {})}, orjson.dumps(content))


def refused(failure: Failure) -> Answer:
    """A failure as an answer."""
    return Answer(failure.code, {**JSON, **failure.headers}, failure.body())
