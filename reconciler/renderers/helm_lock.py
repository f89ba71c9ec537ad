"""What `Chart.lock` pins: exact versions, and the digest that says whether it fits `Chart.yaml`, as `helm dependency build` asks. Pure.

The digest is Helm's own (HashReq in its resolver): SHA-256 of both lists of dependencies as Go writes them in JSON.
"""

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.git.objects import SourceProblem, one_line
from reconciler.kernel.redaction import Redactor
from reconciler.sources.charts import ChartRegistry, ChartWish, below
from reconciler.yamledit.nodes import Document, NotYaml, compose, decode, node_at
from reconciler.yamledit.values import value_of

CHART, LOCK = "Chart.yaml", "Chart.lock"
VENDOR = "run `helm dependency build` and commit the folder charts/"
ALLOW = f"{VENDOR}, or list where it comes from under the source's `helm: {{registries: [{{url: …}}]}}`"
UPDATE = "run `helm dependency update`, and commit Chart.lock"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
LONGEST_VERSION = 100
ALIASES = ("@", "alias:")
FIELDS = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
WRITTEN = frozenset({"name", "repository"})
"""Those that Helm writes although they are empty."""
AS_GO = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@dataclass(frozen=True, slots=True)
class Dependency:
    """One entry of `dependencies`: its name, where it is to come from, its line, and its place in the list."""

    name: str
    repository: str
    line: int
    position: int

    @property
    def where(self) -> str:
        """Where it comes from, in words."""
        return f" (from {one_line(Redactor().text(self.repository))})" if self.repository else ""


@dataclass(frozen=True, slots=True)
class ChartLock:
    """The entries of a lock that fits its chart, each with its line."""

    file: str
    entries: tuple[tuple[int, Mapping[str, Any]], ...]


def mapping_of(content: bytes, what: str) -> tuple[Document, Mapping[str, Any]]:
    """The one mapping of a file. Raises NotYaml."""
    documents = compose(decode(content))
    if len(documents) != 1:
        raise NotYaml(1, f"is no {what}: one YAML document is expected", "correct it")
    document = documents[0]
    value = value_of(document.root) if document.root is not None else None
    if not isinstance(value, dict):
        raise NotYaml(1, f"is no {what}: one YAML mapping is expected", "correct it")
    return document, value


def dependencies_of(document: Document, value: Mapping[str, Any]) -> tuple[Dependency, ...]:
    """The dependencies that a `Chart.yaml` names."""
    found: list[Dependency] = []
    for position, part in enumerate(_listed(value)):
        if isinstance(part, dict) and isinstance(part.get("name"), str):
            line = _line(document, "dependencies", position)
            found.append(Dependency(part["name"], str(part.get("repository") or ""), line, position))
    return tuple(found)


def refusal_of(chart: str, dependency: Dependency, registries: Sequence[ChartRegistry]) -> SourceProblem | None:
    """Why a dependency that is not in `charts/` is not fetched; None where it may be."""
    said = f"the dependency {dependency.name!r}{dependency.where} is not in charts/, and "
    if not registries or not dependency.repository:
        return SourceProblem(chart, dependency.line, f"{said}nothing is fetched", ALLOW if dependency.repository else VENDOR)
    if dependency.repository.startswith(ALIASES):
        words = "an alias of a repository is known to one machine's helm alone"
        return SourceProblem(chart, dependency.line, f"{said}{words}", "write the repository's address, and update Chart.lock")
    if below(dependency.repository, registries) is None:
        return SourceProblem(chart, dependency.line, f"{said}its repository is in none of the source's `helm.registries`", ALLOW)
    if not NAME.fullmatch(dependency.name):
        return SourceProblem(chart, dependency.line, f"{dependency.name!r} is no name of a chart", "correct it")
    return None


def lock_of(folder: str, files: Mapping[str, bytes]) -> ChartLock | SourceProblem | None:
    """The lock of a chart; None where there is none, a problem where it is not of this `Chart.yaml`."""
    name = posixpath.join(folder, LOCK)
    if name not in files:
        return None
    try:
        document, lock = mapping_of(files[name], "lock")
        _, wanted = mapping_of(files[posixpath.join(folder, CHART)], "chart")
    except NotYaml as error:
        return SourceProblem(name, error.line, error.message, UPDATE)
    digest = digest_of(_listed(wanted), _listed(lock))
    if not digest or lock.get("digest") != digest:
        return SourceProblem(name, _line(document, "digest"), f"does not fit {CHART}: its digest is another", UPDATE)
    lines = (_line(document, "dependencies", position) for position in range(len(_listed(lock))))
    return ChartLock(name, tuple(zip(lines, _listed(lock), strict=True)))


def pinned(chart: str, lock: ChartLock | SourceProblem | None, dependency: Dependency) -> ChartWish | SourceProblem:
    """The version of a dependency that the lock of its chart says."""
    if isinstance(lock, SourceProblem):
        return lock
    if lock is None:
        words = f"the dependency {dependency.name!r}{dependency.where} is not in charts/, and there is no {LOCK} that says its version"
        return SourceProblem(chart, dependency.line, words, UPDATE)
    line, entry = lock.entries[dependency.position] if dependency.position < len(lock.entries) else (1, {})
    if entry.get("name") != dependency.name or entry.get("repository") != dependency.repository:
        return SourceProblem(lock.file, line, f"does not say which {dependency.name!r}{dependency.where} is to be taken", UPDATE)
    version = entry.get("version")
    if not isinstance(version, str) or not VERSION.fullmatch(version) or len(version) > LONGEST_VERSION:
        return SourceProblem(lock.file, line, f"the version of {dependency.name!r} is none like 1.2.3", UPDATE)
    return ChartWish(dependency.repository, dependency.name, version)


def digest_of(wanted: Sequence[Any], locked: Sequence[Any]) -> str:
    """What Helm writes under `digest`; empty for lists that it would not read."""
    if not all(isinstance(one, dict) for one in (*wanted, *locked)):
        return ""
    try:
        written = json.dumps([[_as_go(one) for one in found] for found in (wanted, locked)], ensure_ascii=False, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(written.translate(AS_GO).encode()).hexdigest()}"
    except (ValueError, TypeError):
        return ""


def _as_go(dependency: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in Helm's order, without those that are empty; keys of mappings within are sorted."""
    found: dict[str, Any] = {}
    for name in FIELDS:
        value = dependency.get(name)
        if name in WRITTEN or value:
            # A version like 1.10 is a number to YAML; Helm takes it for a text.
            text = str(value or "") if name not in ("tags", "enabled", "import-values") else value
            found[name] = json.loads(json.dumps(text, sort_keys=True))
    return found


def _line(document: Document, *path: str | int) -> int:
    node = node_at(document.root, path)
    return node.line if node is not None else 1


def _listed(value: Mapping[str, Any]) -> list[Any]:
    found = value.get("dependencies")
    return found if isinstance(found, list) else []
