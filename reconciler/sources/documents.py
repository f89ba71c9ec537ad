"""Files of a snapshot as manifests: what each document asks for, where each value stands, and which files cannot be used.

A document or file that cannot be used becomes a SourceProblem and costs only itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.git.objects import Snapshot, SourceProblem
from reconciler.kernel.identity import Manifest
from reconciler.sources.model import FieldLocation
from reconciler.sources.references import Named, config_of, lender_of
from reconciler.yamledit.nodes import Document, FieldPath, Node, NotYaml, ScalarNode, compose_each, decode, node_at
from reconciler.yamledit.values import value_of

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Located:
    """One manifest, where it stands, and what follows from it alone, so that an unchanged file costs nothing again.

    `root` is its path in the document, not empty inside a List. `key` is kind, namespace and name as the manifest writes them, `claim`
    the same with the API group. `config` are the ConfigMaps and Secrets its pod template names, `lender` whose template it borrows.
    """

    manifest: Manifest
    file: str
    document: int
    root: FieldPath
    line: int
    key: Named
    claim: Named
    config: tuple[Named, ...] = ()
    lender: Named | None = None


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """One file: its bytes, its manifests, its problems. A document that cannot be used is a problem and costs only itself."""

    content: bytes
    manifests: tuple[Located, ...] = ()
    problems: tuple[SourceProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """All files of one snapshot, parsed. Manifests come in the order of file names and documents.

    `derived` keeps what was found out of it once: a snapshot never changes, and there may be a thousand questions to it.
    """

    files: Mapping[str, ParsedFile]
    manifests: tuple[Located, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    commit: str = ""
    found: Mapping[Named, Located] = field(default_factory=dict)
    claims: frozenset[Named] = frozenset()
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def contested(self, located: Located) -> bool:
        """True when another document claims the same object: then neither of them says what it should be."""
        return located.claim in self.claims

    def find(self, kind: str, namespace: str, name: str) -> Located | None:
        """The manifest of this kind and name, if the source has it."""
        return self.found.get((kind, namespace, name))

    @property
    def doubled(self) -> bool:
        """True when a name stands for more than one manifest."""
        return len(self.found) < len(self.manifests)


def manifests_of(snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
    """Parses a snapshot. Files whose bytes are those of `previous` are not parsed again."""
    known = previous.files if previous else {}
    files = {name: _again(known.get(name), name, content) for name, content in sorted(snapshot.files.items()) if name.endswith(SUFFIXES)}
    return parsed_from(files, snapshot.problems, snapshot.commit)


def parsed_from(files: Mapping[str, ParsedFile], problems: tuple[SourceProblem, ...] = (), commit: str = "") -> Parsed:
    """Puts parsed files together; an object that two files claim is a problem that names both."""
    manifests = tuple(located for parsed in files.values() for located in parsed.manifests)
    doubled, claims = _contests(manifests)
    broken = tuple(problem for parsed in files.values() for problem in parsed.problems)
    index = {located.key: located for located in manifests}
    return Parsed(files, manifests, (*problems, *broken, *doubled), commit, index, claims)


def _contests(manifests: Sequence[Located]) -> tuple[list[SourceProblem], frozenset[Named]]:
    """Objects that more than one document claims, and a problem for every document but the first."""
    if len({located.claim for located in manifests}) == len(manifests):
        return [], frozenset()
    first: dict[Named, Located] = {}
    again = [located for located in manifests if first.setdefault(located.claim, located) is not located]
    return [_doubled(located, first[located.claim]) for located in again], frozenset(located.claim for located in again)


def replace_files(parsed: Parsed, contents: Mapping[str, bytes]) -> Parsed:
    """The same source with other bytes in some files: what the tip would be after an edit. Problems of no file that is read stay."""
    changed = {name: parse_file(name, content) for name, content in contents.items()}
    unread = tuple(problem for problem in parsed.problems if problem.file not in parsed.files)
    return parsed_from({**parsed.files, **changed}, unread, parsed.commit)


def parse_file(name: str, content: bytes) -> ParsedFile:
    """The manifests of one file, and a problem for each document that cannot be used."""
    try:
        documents = compose_each(decode(content))
    except NotYaml as error:
        return ParsedFile(content, (), (_problem(name, error),))
    manifests: list[Located] = []
    problems: list[SourceProblem] = []
    for document in documents:
        for found in _manifests(name, document):
            if isinstance(found, SourceProblem):
                problems.append(found)
            else:
                manifests.append(found)
    return ParsedFile(content, tuple(manifests), tuple(problems))


def documents_of(parsed: Parsed, name: str) -> tuple[Document, ...]:
    """The node trees of one file, composed anew: trees are large, so they are not kept."""
    return compose_each(decode(parsed.files[name].content))


def node_of(parsed: Parsed, located: Located) -> Node | None:
    """The node that a manifest was read from."""
    document = documents_of(parsed, located.file)[located.document]
    return node_at(document.root, located.root)


def location(located: Located, path: FieldPath, node: Node) -> FieldLocation:
    """The place of a node whose path starts at the manifest."""
    return FieldLocation(located.file, located.document, (*located.root, *path), node.line, node.column)


def _problem(name: str, error: NotYaml) -> SourceProblem:
    return SourceProblem(name, error.line, error.message, error.remedy)


def _again(known: ParsedFile | None, name: str, content: bytes) -> ParsedFile:
    if known is not None and known.content == content:
        return known
    return parse_file(name, content)


def _manifests(name: str, document: Document) -> Iterator[Located | SourceProblem]:
    """The manifests of one document, several for a List; what cannot be used of it is a problem in its place."""
    try:
        if document.problem is not None:
            raise document.problem
        value = value_of(document.root) if document.root is not None else None
    except NotYaml as error:
        yield _problem(name, error)
        return
    if document.root is None or (isinstance(document.root, ScalarNode) and value is None):
        return
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for position, item in enumerate(value["items"]):
            node = node_at(document.root, ("items", position)) or document.root
            yield _located_or_problem(name, document, ("items", position), item, node)
        return
    yield _located_or_problem(name, document, (), value, document.root)


def _located_or_problem(name: str, document: Document, root: FieldPath, value: Any, node: Node) -> Located | SourceProblem:
    try:
        return _located(name, document, root, value, node)
    except NotYaml as error:
        return _problem(name, error)


def _located(name: str, document: Document, root: FieldPath, value: Any, node: Node) -> Located:
    if not isinstance(value, dict):
        raise NotYaml(node.line, "a document that is not a mapping", "write apiVersion, kind and metadata, or move the file away")
    for required in ("apiVersion", "kind"):
        if not isinstance(value.get(required), str) or not value[required]:
            raise NotYaml(node.line, f"a document without {required}", "write one Kubernetes object, or move the file out of this folder")
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise NotYaml(node.line, f"a {value['kind']} without metadata.name", "name it")
    for name_, part in (("spec", value.get("spec")), *((f"metadata.{key}", metadata.get(key)) for key in ("labels", "annotations"))):
        if part is not None and not isinstance(part, dict):
            raise NotYaml(node.line, f"a {value['kind']} whose {name_} is not a mapping", "write it as one")
    kind, namespace, named = value["kind"], str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    claim = f"{kind}.{value['apiVersion'].rpartition('/')[0]}", namespace, named
    config, lender = config_of(value, namespace), lender_of(value, namespace)
    return Located(value, name, document.index, root, node.line, (kind, namespace, named), claim, config, lender)


def _doubled(second: Located, first: Located) -> SourceProblem:
    kind, namespace, name = second.key
    place = f"{namespace}/{name}" if namespace else name
    message = f"{kind} {place} is also in {first.file}:{first.line}"
    return SourceProblem(second.file, second.line, message, "keep one of the two")
