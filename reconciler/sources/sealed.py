"""Files of Secrets that SOPS has encrypted, as parsed files, and what they keep secret: only the data of a Secret may hold it. Pure.

A sealed file keeps the bytes that Git has: whatever is shown of it, compared or put back is ciphertext. Only its manifests know the values.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from reconciler.git.objects import Hides, SourceProblem
from reconciler.kernel.identity import Manifest
from reconciler.kernel.redaction import SHORTEST, Redactor
from reconciler.sources.documents import SUFFIXES, Located, Parsed, ParsedFile, parse_file, parsed_from
from reconciler.sources.encryption import MARK, encrypted
from reconciler.sources.model import HIDDEN, ChangedField, FieldLocation
from reconciler.yamledit.nodes import Document, FieldPath, Node, NotYaml, ScalarNode, compose_each, decode, leaves, node_at
from reconciler.yamledit.splice import EditRefused

HOLDERS = ("data", "stringData")
"""The fields of a Secret that hold what is secret."""
QUOTED = 5
"""So many characters of a value in a row are a quote of it."""
NUMBER = re.compile(r",type:(int|float|bool)\]$")
ONLY_SECRETS = "encrypt only what is secret of Secrets: `sops --encrypted-regex '^(data|stringData)$'`"
NOT_READ = SourceProblem("", 0, "cannot be read once it is decrypted", "`sops --decrypt FILE` shows what it holds", Hides.ITSELF)


def sealed_file(name: str, content: bytes, plain: bytes, namespace: str = "") -> ParsedFile:
    """The manifests of an encrypted file: `content` is what Git has, `plain` what it holds. Only Secrets may have encrypted values."""
    read = parse_file(name, plain, namespace)
    try:
        documents = compose_each(decode(content))
    except NotYaml:
        documents = ()
    kept: list[Located] = []
    problems = [replace(NOT_READ, file=name)] if read.problems or not documents else []
    for located in read.manifests:
        node = _node(documents, located)
        refused = replace(NOT_READ, file=name) if node is None else _refused(located, node)
        if refused is None and node is not None:
            kept.append(replace(located, line=node.line))
        elif refused is not None:
            problems.append(refused)
    return ParsedFile(content, tuple(kept), tuple(dict.fromkeys(problems)), read.notes, sealed=True)


def _node(documents: tuple[Document, ...], located: Located) -> Node | None:
    root = documents[located.document].root if located.document < len(documents) else None
    return node_at(root, located.root)


def _refused(located: Located, node: Node) -> SourceProblem | None:
    """Why a manifest is not used; None for a Secret, and for one without encrypted values."""
    places = [path for path, leaf in _scalars(node) if leaf.text.startswith(MARK) and path[:1] != ("sops",)]
    if located.key[0] == "Secret":
        places = [path for path in places if path[:1] not in [(holder,) for holder in HOLDERS]]
    if not places:
        return None
    where = ".".join(map(str, places[0]))
    message = f"{where} of the {located.manifest['kind']} is encrypted, and only data and stringData of a Secret may be"
    if str(places[0][0]) in ("apiVersion", "kind"):
        message = f"{where} of an object is encrypted, and only data and stringData of a Secret may be"
    return SourceProblem(located.file, node.line, message, ONLY_SECRETS, Hides.ITSELF)


def _scalars(node: Node | None) -> Iterator[tuple[FieldPath, ScalarNode]]:
    for leaf in leaves(Document(0, node, frozenset())) if node is not None else ():
        if isinstance(leaf.node, ScalarNode):
            yield leaf.path, leaf.node


# --- what is secret ---


def secrets_of(name: str, content: bytes, plain: bytes) -> frozenset[str]:
    """The values that a file keeps secret; those that are too short or too common to be told from others are not among them."""
    if not name.endswith(SUFFIXES):
        return frozenset(_lines(plain))
    try:
        pairs = zip(compose_each(decode(content)), compose_each(decode(plain)), strict=False)
        return frozenset(value for pair in pairs for value in _values(*pair))
    except NotYaml:
        return frozenset(_lines(plain))


def _values(sealed: Document, plain: Document) -> Iterator[str]:
    for path, leaf in _scalars(sealed.root):
        found = node_at(plain.root, path)
        if not leaf.text.startswith(MARK) or not isinstance(found, ScalarNode):
            continue
        if len(found.text) >= (QUOTED if NUMBER.search(leaf.text) else SHORTEST):
            yield found.text


def _lines(plain: bytes) -> Iterator[str]:
    """All of a file that is no YAML: as a whole, each line, and what stands behind the sign of equality."""
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        yield b64encode(plain).decode()
        return
    for line in (text, *text.splitlines()):
        for part in (line, line.partition("=")[2]):
            word = part.strip().strip("\"'")
            if len(word) >= SHORTEST:
                yield word


def quotes(text: str, secrets: Iterable[str]) -> bool:
    """True when a text holds some characters of a secret in a row, however little of it."""
    pieces = {text[at : at + size] for size in range(SHORTEST, QUOTED + 1) for at in range(len(text) - size + 1)}
    return any(piece in pieces for secret in secrets for spelling in _spellings(secret) for piece in _pieces(spelling))


def _spellings(secret: str) -> Iterator[str]:
    octets = secret.encode("utf-8", "surrogatepass")
    yield secret
    for offset, unknown in enumerate((0, 2, 3)):
        yield b64encode(b"\0" * offset + octets).decode()[unknown : (offset + len(octets)) * 8 // 6]


def _pieces(text: str) -> Iterator[str]:
    size = min(QUOTED, len(text))
    return (text[at : at + size] for at in range(len(text) - size + 1) if size >= SHORTEST)


def without_quotes(problem: SourceProblem, secrets: frozenset[str]) -> SourceProblem:
    """A problem whose words hold nothing of any secret."""
    if not quotes(f"{problem.message} {problem.remedy}", secrets):
        return problem
    words = f"{problem.message.split(':')[0]}: not shown, as it would quote what SOPS keeps secret"
    words = words if not quotes(words, secrets) else "not shown, as it would quote what SOPS keeps secret"
    return replace(problem, message=words, remedy="decrypt and render it by hand: the program says the same")


def without_leaks(parsed: Parsed, secrets: frozenset[str]) -> Parsed:
    """A rendering without the objects that show a secret: only the data of a Secret may hold one."""
    if not secrets:
        return parsed
    known = Redactor(secrets)
    kept: dict[str, ParsedFile] = {}
    problems: list[SourceProblem] = []
    for name, file in parsed.files.items():
        shown = [located for located in file.manifests if _shows(located.manifest, known)]
        kept[name] = _without_manifests(_without_quotes_in(file, secrets), shown)
        problems += [_leak(located, name) for located in shown]
    told = [problem for problem in (*parsed.problems, *parsed.notes) if problem.file not in parsed.files]
    told = [without_quotes(problem, secrets) for problem in told]
    hidden = (*parsed.withheld, *(name for name, file in kept.items() if file.manifests is not parsed.files[name].manifests))
    whole = parsed_from(kept, (*told, *problems), parsed.commit)
    kept_back = tuple(dict.fromkeys(hidden))
    return replace(whole, withheld=kept_back, namespace=parsed.namespace, inputs=parsed.inputs, renderer=parsed.renderer)


def _without_manifests(file: ParsedFile, shown: list[Located]) -> ParsedFile:
    return replace(file, manifests=tuple(one for one in file.manifests if one not in shown)) if shown else file


def _without_quotes_in(file: ParsedFile, secrets: frozenset[str]) -> ParsedFile:
    """A file whose own problems and notes hold nothing of any secret; the very same one where it has none."""
    if not file.problems and not file.notes:
        return file
    problems, notes = (tuple(without_quotes(one, secrets) for one in found) for found in (file.problems, file.notes))
    return replace(file, problems=problems, notes=notes)


def _shows(manifest: Manifest, known: Redactor) -> bool:
    hidden = HOLDERS if manifest.get("kind") == "Secret" else ()
    return known.quoted_in(json.dumps(_without(manifest, hidden), ensure_ascii=False, default=str))


def _without(manifest: Manifest, fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name not in fields}


def _leak(located: Located, name: str) -> SourceProblem:
    words = f"a {located.manifest['kind']} that is made here holds a value which SOPS keeps secret: it is not applied, what is there stays"
    remedy = "refer to a Secret, or leave that value unencrypted where it is no secret (`sops --encrypted-regex`)"
    return SourceProblem(name.partition("#")[0], 0, words, remedy, Hides.ITSELF)


# --- the way back ---


def put_back(previous: Parsed, rejected: Parsed, tip: Parsed, name: str) -> Parsed:
    """The tip with one encrypted file as it was: all of it, byte for byte, because its MAC is over all of it. Raises EditRefused."""
    was, bad, now = (parsed.files.get(name) for parsed in (previous, rejected, tip))
    if was is None or bad is None or now is None or not (was.sealed and bad.sealed and now.sealed):
        raise EditRefused(f"{name} is encrypted with SOPS, and was not, or not there, in another version: put its values back with `sops`")
    sealed_content(name, (was.content, bad.content, now.content))
    unread = tuple(problem for problem in (*tip.problems, *tip.notes) if problem.file not in tip.files)
    return replace(parsed_from({**tip.files, name: was}, unread, tip.commit), namespace=tip.namespace)


def sealed_content(name: str, versions: tuple[bytes, bytes, bytes]) -> bytes:
    """The bytes that an encrypted file had, where nothing is new since; `versions` are previous, rejected, now. Raises EditRefused."""
    previous, rejected, now = versions
    if now not in (rejected, previous):
        raise EditRefused(f"{name} is encrypted with SOPS as a whole, and holds another change since: put its values back with `sops`")
    if not (encrypted(previous) and encrypted(rejected)):
        raise EditRefused(f"{name} was not encrypted in both versions: put its values back with `sops`")
    return previous


def sealed_field(name: str) -> ChangedField:
    """What people are shown of an encrypted file that is put back."""
    place = FieldLocation(name, 0, (), 1, 1)
    return ChangedField(HIDDEN, HIDDEN, place, place)
