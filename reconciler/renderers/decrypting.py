"""Any renderer, with encrypted files decrypted for it. Bytes of Git stay what they are; only manifests know what was decrypted.

The renderer is asked first, and what it refuses because it is encrypted is decrypted: a file of manifests is read here, a file that others
are made from is put in its place and all is rendered again. Of that neither words nor objects may show what was secret.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.git.objects import Hides, Snapshot, SourceProblem
from reconciler.renderers.sops import SECONDS, Sops, Undecryptable, problem_of
from reconciler.sources.documents import Parsed, ParsedFile, parsed_from
from reconciler.sources.encryption import TOOL, refusal_of
from reconciler.sources.renderer import Neighbours, Renderer
from reconciler.sources.sealed import sealed_file, secrets_of, without_leaks
from reconciler.sources.settings import SopsSettings


def decrypting(inner: Renderer, settings: SopsSettings | None, namespace: str = "") -> Renderer:
    """The renderer itself where the source has no keys."""
    return wrapped(inner, Sops(settings, SECONDS), namespace) if settings is not None else inner


def wrapped(inner: Renderer, sops: Sops, namespace: str) -> Renderer:
    """One that knows its neighbours where the inner one does."""
    if isinstance(inner, Neighbours):
        return DecryptingNeighbours(inner, inner, sops, namespace)
    return DecryptingRenderer(inner, sops, namespace)


@dataclass(frozen=True, slots=True)
class _Decrypted:
    """What became of encrypted files: their plain bytes, and a problem for each that stays as it is."""

    plain: Mapping[str, bytes] = field(default_factory=dict)
    problems: Mapping[str, SourceProblem] = field(default_factory=dict)
    unsettled: bool = False


class DecryptingRenderer:
    """Decrypts what the inner renderer refuses as encrypted."""

    def __init__(self, inner: Renderer, sops: Sops, namespace: str) -> None:
        self._inner = inner
        self._sops = sops
        self._namespace = namespace

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        return self._inner.missing(snapshot)

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        first = await self._inner.render(snapshot, previous)
        asked = {one.file: one.hides for one in first.problems if _refused(one, snapshot)}
        if not asked:
            return first
        opened = await self._opened(snapshot, asked)
        inputs = [name for name, hides in asked.items() if hides is Hides.ANYTHING]
        if inputs and opened.problems.keys().isdisjoint(inputs):
            first = await self._rendered(snapshot, {name: opened.plain[name] for name in inputs}, previous)
        return await asyncio.to_thread(self._whole, snapshot, first, opened, previous)

    async def _opened(self, snapshot: Snapshot, asked: Mapping[str, Hides]) -> _Decrypted:
        """One file after the other: each is a process."""
        plain: dict[str, bytes] = {}
        problems: dict[str, SourceProblem] = {}
        unsettled = False
        for name, hides in asked.items():
            content = snapshot.files[name]
            try:
                plain[name] = await self._sops.decrypted(name, content)
            except Undecryptable as why:
                problems[name], unsettled = problem_of(name, content, why, hides), unsettled or why.here
        return _Decrypted(plain, problems, unsettled)

    async def _rendered(self, snapshot: Snapshot, plain: Mapping[str, bytes], previous: Parsed | None) -> Parsed:
        """What the folder gives with decrypted inputs, without a trace of them but in Secrets."""
        found = await self._inner.render(replace(snapshot, files={**snapshot.files, **plain}), previous)
        secrets = frozenset(secret for name, text in plain.items() for secret in secrets_of(name, snapshot.files[name], text))
        kept = await asyncio.to_thread(without_leaks, found, secrets)
        return replace(kept, inputs={name: snapshot.files[name] for name in found.inputs})

    def _whole(self, snapshot: Snapshot, found: Parsed, opened: _Decrypted, previous: Parsed | None) -> Parsed:
        """What was found, with encrypted files of manifests read, and with the reason for each that could not be."""
        sealed = {
            name: self._sealed(name, snapshot.files[name], opened.plain[name], previous)
            for name in opened.plain
            if any(_refused(one, snapshot) for one in found.problems if one.file == name)
        }
        if not sealed and not opened.problems:
            return found
        told = [problem for problem in (*found.problems, *found.notes) if problem.file not in found.files and problem.file not in sealed]
        told = [opened.problems.get(problem.file, problem) if _refused(problem, snapshot) else problem for problem in told]
        whole = parsed_from({**found.files, **sealed}, tuple(told), found.commit)
        hidden = tuple(name for name in found.withheld if name not in sealed)
        refused = tuple(problem.file for file in sealed.values() for problem in file.problems)
        inputs = {**found.inputs, **{name: snapshot.files[name] for name in sealed}} if found.inputs else found.inputs
        return replace(
            whole,
            namespace=found.namespace,
            withheld=tuple(dict.fromkeys((*hidden, *refused))),
            inputs=inputs,
            renderer=found.renderer,
            unsettled=opened.unsettled,
        )

    def _sealed(self, name: str, content: bytes, plain: bytes, previous: Parsed | None) -> ParsedFile:
        known = previous.files.get(name) if previous is not None and previous.namespace == self._namespace else None
        return (
            known if known is not None and known.sealed and known.content == content else sealed_file(name, content, plain, self._namespace)
        )


class DecryptingNeighbours(DecryptingRenderer):
    """The same for a renderer that knows what else is made from its files."""

    def __init__(self, inner: Renderer, beside: Neighbours, sops: Sops, namespace: str) -> None:
        super().__init__(inner, sops, namespace)
        self._beside = beside

    @property
    def markers(self) -> tuple[str, ...]:
        """The names of the files that make a folder one of its own."""
        return self._beside.markers

    def at(self, folder: str) -> Renderer:
        """The same for another folder of the same repository."""
        return wrapped(self._beside.at(folder), self._sops, self._namespace)

    def variants(self, snapshot: Snapshot) -> Mapping[str, Renderer]:
        """The other ways in which this folder itself is rendered."""
        return {name: wrapped(one, self._sops, self._namespace) for name, one in self._beside.variants(snapshot).items()}

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        return self._beside.folders(snapshot)


def _refused(problem: SourceProblem, snapshot: Snapshot) -> bool:
    """True for a file that was refused only because it is encrypted."""
    content = snapshot.files.get(problem.file) if problem.tool == TOOL else None
    return content is not None and refusal_of(problem.file, content, problem.hides) == problem
