"""Policies from a folder beside the daemon (`policies:`): read again when its files change, never believed half (ADR 0027).

A file that cannot be understood keeps what it said before, and says why in the log and in the detail of `/readyz`.
"""

import asyncio
import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR

import structlog

from reconciler.app.lint.lines import line_of
from reconciler.app.watching import Folders, Watched
from reconciler.kernel.errors import Terminal
from reconciler.kernel.resources import CLUSTER_RELEASE_POLICIES, RELEASE_POLICIES
from reconciler.kernel.strict import FieldError
from reconciler.kernel.unusable import reason_of
from reconciler.releases.policies.manifest import parse_policy
from reconciler.releases.policies.observe import LocalPolicies
from reconciler.releases.policies.policy import ReleasePolicy
from reconciler.sources.documents import Located, Parsed, node_of, parse_file, parsed_from

SUFFIXES = (".yaml", ".yml")
LARGEST = 1 << 20
LOOK_EVERY = 60.0
KINDS = {(r.api_version, r.kind): r for r in (RELEASE_POLICIES, CLUSTER_RELEASE_POLICIES)}
log = structlog.get_logger()


class PolicyFiles:
    """Keeps `local` equal to what the files say. `problems` are those of the last look, each with file and line."""

    def __init__(self, folder: str, local: LocalPolicies) -> None:
        self._folder = Path(folder) if folder else None
        self._local = local
        self._understood: dict[str, tuple[ReleasePolicy, ...]] = {}
        self.problems: tuple[str, ...] = ()

    async def run(self, changed: Callable[[], None]) -> None:
        """Look whenever a file changes, and now and then, until cancelled."""
        if self._folder is None:
            return await never()
        hurry = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(Folders([Watched("policies", self._folder, recursive=True)], lambda _: hurry.set()).run())
            while True:
                if await asyncio.to_thread(self.look):
                    log.info("local policies changed", folder=str(self._folder), policies=[p.name for p in self._local.policies])
                    changed()
                await _either(hurry, LOOK_EVERY)

    def look(self) -> bool:
        """Read what is new; whether that changes any policy."""
        if self._folder is None:
            return False
        before = (self._local.policies, self._local.unread)
        problems = dict(self._take())
        for problem in problems.values():
            if problem not in self.problems:
                log.warning("local policy not understood: what it said before stays", problem=problem)
        self.problems = tuple(problems.values())
        self._local.unread = tuple(problem for file, problem in problems.items() if file not in self._understood)
        self._local.policies = tuple(policy for _, policies in sorted(self._understood.items()) for policy in policies)
        return before != (self._local.policies, self._local.unread)

    def _take(self) -> Iterator[tuple[str, str]]:
        """Understand every file that is there, forget those that are not; each problem by its file."""
        try:
            found = dict(_files(self._folder or Path()))
        except OSError as error:
            yield str(self._folder), f"{self._folder}: cannot be read: {reason_of(error)}; `policies` in the settings names a folder"
            return
        for file in self._understood.keys() - found.keys():
            del self._understood[file]
        for file, path in found.items():
            try:
                self._understood[file] = _policies(str(path), _content(path))
            except Terminal as error:
                yield file, str(error)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every YAML file below the folder; hidden ones (a mounted ConfigMap's own bookkeeping) are not meant."""
    if not S_ISDIR(folder.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "not a directory")
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix in SUFFIXES and path.is_file() and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), path


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise Terminal(f"{path}: larger than 1 MiB: no policy is")
        return path.read_bytes()
    except OSError as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; make it readable, or take it out") from error


def _policies(file: str, content: bytes) -> tuple[ReleasePolicy, ...]:
    """The policies of one file. Raises Terminal with file and line."""
    parsed = parsed_from({file: parse_file(file, content)})
    if parsed.problems:
        raise Terminal(str(parsed.problems[0]))
    return tuple(_policy(parsed, located) for located in parsed.manifests)


def _policy(parsed: Parsed, located: Located) -> ReleasePolicy:
    kind, namespace, name = located.key
    resource = KINDS.get((str(located.manifest["apiVersion"]), kind))
    if resource is None:
        raise Terminal(f"{located.file}:{located.line}: a {kind} is no policy: move it away")
    if resource.namespaced != bool(namespace):
        needs = "needs a metadata.namespace" if resource.namespaced else "speaks of all namespaces: it has no metadata.namespace"
        raise Terminal(f"{located.file}:{located.line}: {kind} {name} {needs}")
    try:
        return parse_policy(located.manifest)
    except FieldError as error:
        line = line_of(node_of(parsed, located), error.path)
        raise Terminal(f"{located.file}:{line}: {kind} {name}: {error}") from error


async def _either(hurry: asyncio.Event, seconds: float) -> None:
    """Wait for a hint, or so long."""
    try:
        async with asyncio.timeout(seconds):
            await hurry.wait()
    except TimeoutError:
        return
    finally:
        hurry.clear()


async def never() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()
