"""Files of a snapshot as manifests: what each document asks for, where each value stands, and which files cannot be used.

A document or file that cannot be used becomes a SourceProblem and costs only itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.git.objects import Hides, Snapshot, SourceProblem
from reconciler.kernel.identity import Manifest
from reconciler.sources.hooks import is_hook
from reconciler.sources.kinds import is_namespaced, kind_key
from reconciler.sources.model import FieldLocation
from reconciler.sources.references import Named, config_of, lender_of
from reconciler.yamledit.nodes import Document, FieldPath, Node, NotYaml, compose_each, decode, node_at
from reconciler.yamledit.values import value_of

SUFFIXES = (".yaml", ".yml", ".json")
MARKS = (b"apiVersion", b"kind")


@dataclass(frozen=True, slots=True)
class Located:
    """One manifest, where it stands, and what follows from it alone, so that an unchanged file costs nothing again.

    `root` is its path in the document, not empty inside a List. `key` is kind, namespace and name as the manifest writes them, `claim`
    the same with every kind's API group. `config` are the ConfigMaps and Secrets its pod template names, `lender` whose template it
    borrows.
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
    stated: Manifest = field(default_factory=dict)
    """The manifest as the file says it: without the namespace that the source gives to what names none."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """One file: its bytes, its manifests, its problems. A document that cannot be used is a problem and costs only itself."""

    content: bytes
    manifests: tuple[Located, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    notes: tuple[SourceProblem, ...] = ()
    sealed: bool = False
    """True where the bytes are encrypted, and only the manifests know what they hold."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """All files of one snapshot, parsed. Manifests come in the order of file names and documents.

    `namespace` is that of objects which name none. `notes` are files that hold no manifest, `withheld` files and folders whose present
    content is unknown. `derived` keeps what was found out of it once: a snapshot never changes, and there may be a thousand questions
    to it.
    """

    files: Mapping[str, ParsedFile]
    manifests: tuple[Located, ...] = ()
    problems: tuple[SourceProblem, ...] = ()
    commit: str = ""
    hooks: tuple[Located, ...] = ()
    """Objects that run at a moment of a sync, and are not applied with the others."""
    found: Mapping[Named, Located] = field(default_factory=dict)
    claims: frozenset[Named] = frozenset()
    notes: tuple[SourceProblem, ...] = ()
    withheld: tuple[str, ...] = ()
    namespace: str = ""
    inputs: Mapping[str, bytes] = field(default_factory=dict)
    """The files of the repository that rendered manifests were made from; none where the manifests stand in the files themselves."""
    renderer: str = ""
    """What made the manifests; empty where they stand in the files themselves."""
    generated: str = ""
    """What the files were rendered from before they were committed, in words; empty for those that people write."""
    unsettled: bool = False
    """True where something outside of the files kept them from being read, such as a key: the next look may find more."""
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def contested(self, located: Located) -> bool:
        """True when another document claims the same object: then neither of them says what it should be."""
        return located.claim in self.claims

    @property
    def unreadable(self) -> bool:
        """True when some file may hold any manifest at all: then nothing can be said to have left Git."""
        return any(problem.hides is Hides.ANYTHING for problem in self.problems)

    def find(self, kind: str, namespace: str, name: str) -> Located | None:
        """The manifest of this kind and name, if the source has it."""
        return self.found.get((kind, namespace, name))

    def files_behind(self, located: Located) -> tuple[str, ...]:
        """The files of the repository that say what a manifest is."""
        return tuple(sorted(self.inputs)) or (located.file,)

    @property
    def doubled(self) -> bool:
        """True when a name stands for more than one manifest."""
        return len(self.found) < len(self.manifests)


def manifests_of(snapshot: Snapshot, previous: Parsed | None = None, namespace: str = "") -> Parsed:
    """Parses a snapshot. Files whose bytes are those of `previous` are not parsed again."""
    known = previous.files if previous and previous.namespace == namespace else {}
    read = {name: content for name, content in sorted(snapshot.files.items()) if name.endswith(SUFFIXES)}
    files = {name: _again(known.get(name), name, content, namespace) for name, content in read.items()}
    return replace(parsed_from(files, snapshot.problems, snapshot.commit), namespace=namespace)


def parsed_from(files: Mapping[str, ParsedFile], problems: tuple[SourceProblem, ...] = (), commit: str = "") -> Parsed:
    """Puts parsed files together; an object that two files claim is a problem that names both."""
    found = tuple(located for parsed in files.values() for located in parsed.manifests)
    hooks = tuple(located for located in found if is_hook(located.manifest))
    manifests = tuple(located for located in found if not is_hook(located.manifest)) if hooks else found
    doubled, claims = _contests((*manifests, *(located for located in hooks if located.key[2])))
    broken = tuple(problem for parsed in files.values() for problem in parsed.problems)
    index = {located.key: located for located in manifests}
    told = tuple(problem for problem in problems if not problem.note)
    notes = [problem for problem in problems if problem.note] + [note for parsed in files.values() for note in parsed.notes]
    hidden = tuple(problem.file for problem in problems if problem.hides is Hides.ITSELF)
    whole = Parsed(files, manifests, (*told, *broken, *doubled), commit, hooks, index, claims)
    return replace(whole, notes=tuple(notes), withheld=hidden)


def joined(first: Parsed, *others: Parsed) -> Parsed:
    """Several sources as one; problems between their objects are told once."""
    found = (first, *others)
    files = {name: parsed for one in found for name, parsed in one.files.items()}
    unread = tuple(problem for one in found for problem in (*one.problems, *one.notes) if problem.file not in files)
    return parsed_from(files, unread, first.commit)


def _contests(manifests: Sequence[Located]) -> tuple[list[SourceProblem], frozenset[Named]]:
    """Objects that more than one document claims, and a problem for every document but the first."""
    if len({located.claim for located in manifests}) == len(manifests):
        return [], frozenset()
    first: dict[Named, Located] = {}
    again = [located for located in manifests if first.setdefault(located.claim, located) is not located]
    return [_doubled(located, first[located.claim]) for located in again], frozenset(located.claim for located in again)


def objects_of(pieces: Iterable[bytes], marker: str, previous: Parsed | None, namespace: str = "") -> dict[str, ParsedFile]:
    """Rendered objects, a file each, named after the file that asks for them; one whose bytes are as before is not parsed again."""
    same = previous is not None and previous.namespace == namespace
    known = {parsed.content: (name, parsed) for name, parsed in previous.files.items()} if previous and same else {}
    found: dict[str, ParsedFile] = {}
    for piece in pieces:
        name, parsed = known.get(piece) or _named_piece(piece, marker, namespace)
        found[name if name not in found else f"{name} ({len(found)})"] = parsed
    return found


def _named_piece(piece: bytes, marker: str, namespace: str) -> tuple[str, ParsedFile]:
    parsed = parse_file(marker, piece, namespace)
    if not parsed.manifests:
        return marker, parsed
    name = f"{marker}#{'/'.join(filter(None, parsed.manifests[0].key))}"
    return name, replace(parsed, manifests=tuple(replace(one, file=name) for one in parsed.manifests))


def replace_files(parsed: Parsed, contents: Mapping[str, bytes]) -> Parsed:
    """The same source with other bytes in some files: what the tip would be after an edit. Problems of no file that is read stay."""
    changed = {name: parse_file(name, content, parsed.namespace) for name, content in contents.items()}
    unread = tuple(problem for problem in parsed.problems if problem.file not in parsed.files)
    return replace(parsed_from({**parsed.files, **changed}, unread, parsed.commit), namespace=parsed.namespace)


def parse_file(name: str, content: bytes, namespace: str = "") -> ParsedFile:
    """The manifests of one file, and a problem for each document that cannot be used; objects that name no namespace get this one."""
    try:
        documents = compose_each(decode(content))
    except NotYaml as error:
        return ParsedFile(content, (), (_problem(name, error),))
    values = [(document, _value(document)) for document in documents]
    if _holds_no_manifest(name, content, [value for _, value in values if value is not None]):
        return ParsedFile(content, notes=(_no_manifest(name),))
    manifests: list[Located] = []
    problems: list[SourceProblem] = []
    for document, value in values:
        for found in _manifests(name, document, value, namespace):
            if isinstance(found, SourceProblem):
                problems.append(found)
            else:
                manifests.append(found)
    return ParsedFile(content, tuple(manifests), tuple(problems))


def _value(document: Document) -> Any:
    """What a document says: None for an empty one, NotYaml for one that cannot be read."""
    if document.problem is not None:
        return document.problem
    try:
        return value_of(document.root) if document.root is not None else None
    except NotYaml as error:
        return error


def _holds_no_manifest(name: str, content: bytes, values: Sequence[Any]) -> bool:
    """True for a file that says something and is no manifest; what cannot be read may be one, but for JSON without the words of one."""
    if any(isinstance(value, NotYaml) for value in values):
        return name.endswith(".json") and not any(word in content for word in MARKS)
    return bool(values) and not any(_looks_like_a_manifest(value) for value in values)


def _looks_like_a_manifest(value: Any) -> bool:
    """True for a manifest, a mistyped one, and bare words: a pipeline, values and a bot's settings share at most one of these fields."""
    return not isinstance(value, dict | list) or (isinstance(value, dict) and len({"apiVersion", "kind", "metadata"} & value.keys()) > 1)


def _no_manifest(name: str) -> SourceProblem:
    return SourceProblem(name, 0, "holds no Kubernetes object and is left alone", "nothing is to be done", Hides.NOTHING, note=True)


def documents_of(parsed: Parsed, name: str) -> tuple[Document, ...]:
    """The node trees of one file; only the last few small ones are kept, because trees are large."""
    return compose_each(decode(parsed.files[name].content))


def node_of(parsed: Parsed, located: Located) -> Node | None:
    """The node that a manifest was read from."""
    document = documents_of(parsed, located.file)[located.document]
    return node_at(document.root, located.root)


def location(located: Located, path: FieldPath, node: Node) -> FieldLocation:
    """The place of a node whose path starts at the manifest."""
    return FieldLocation(located.file, located.document, (*located.root, *path), node.line, node.column)


def _problem(name: str, error: NotYaml) -> SourceProblem:
    return SourceProblem(name, error.line, error.message, f"{error.remedy}, or name the file under `exclude`")


def _again(known: ParsedFile | None, name: str, content: bytes, namespace: str) -> ParsedFile:
    if known is not None and known.content == content:
        return known
    return parse_file(name, content, namespace)


def _manifests(name: str, document: Document, value: Any, namespace: str) -> Iterator[Located | SourceProblem]:
    """The manifests of one document, several for a List; what cannot be used of it is a problem in its place."""
    if isinstance(value, NotYaml):
        yield _problem(name, value)
        return
    if document.root is None or value is None:
        return
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for position, item in enumerate(value["items"]):
            node = node_at(document.root, ("items", position)) or document.root
            yield _located_or_problem(_Place(name, document.index, ("items", position), node), item, namespace)
        return
    yield _located_or_problem(_Place(name, document.index, (), document.root), value, namespace)


def _located_or_problem(place: "_Place", value: Any, namespace: str) -> Located | SourceProblem:
    try:
        return _located(place, value, namespace)
    except NotYaml as error:
        return _problem(place.file, error)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one manifest stands: file, document, path in it, and node."""

    file: str
    document: int
    root: FieldPath
    node: Node


def _located(place: _Place, value: Any, default: str) -> Located:
    _check(value, place.node)
    manifest = _in_namespace(value, default)
    metadata = manifest["metadata"]
    namespace, named = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    claim = f"{manifest['kind']}.{manifest['apiVersion'].rpartition('/')[0]}", namespace, named
    config, lender = config_of(manifest, namespace), lender_of(manifest, namespace)
    key = kind_key(manifest), namespace, named
    return Located(manifest, place.file, place.document, place.root, place.node.line, key, claim, config, lender, value)


def _in_namespace(manifest: Manifest, default: str) -> Manifest:
    """The manifest with the source's namespace where it names none; kinds that surely live in no namespace stay as they are."""
    if not default or manifest["metadata"].get("namespace") or is_namespaced(manifest) is False:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": default}}


def _check(value: Any, node: Node) -> None:
    """Raises NotYaml for what cannot be one Kubernetes object."""
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


def _doubled(second: Located, first: Located) -> SourceProblem:
    kind, namespace, name = second.key
    place = f"{namespace}/{name}" if namespace else name
    message = f"{kind} {place} is also in {first.file}:{first.line}"
    return SourceProblem(second.file, second.line, message, "keep one of the two")
