"""kustomize: what `kubectl kustomize` makes of a folder, with the files behind it as the inputs.

Version 5.8 as kubectl has it. Plugins, Helm and remote bases stay off; what a file outside of the repository would say is refused before
the program is started.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from reconciler.git.objects import Snapshot, SourceProblem
from reconciler.renderers.child import ChildCall, ChildFailed, output_of, program
from reconciler.renderers.kustomize_closure import MARKERS, Inputs, closure, marker_of
from reconciler.renderers.memory import RenderMemory, fingerprint
from reconciler.renderers.overrides import override_files, overrides_of, with_images
from reconciler.sources.documents import Parsed, objects_of, parsed_from
from reconciler.sources.encryption import refusals
from reconciler.sources.renderer import Renderer, RenderOptions
from reconciler.yamledit.nodes import compose, decode
from reconciler.yamledit.values import value_of

NAME, PROGRAM = "kustomize", "kubectl"
QUOTES_PAIRS, QUOTES_ALL = "loading KV pairs", "with config:"


class KustomizeRenderer:
    """Renders one folder. The same files are rendered once, whatever else moves in the repository."""

    markers = MARKERS

    def __init__(self, options: RenderOptions) -> None:
        self._options = options
        self._memory = RenderMemory()

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        unknown = (name for name in override_files(self._options) if name not in snapshot.files and name not in snapshot.absent)
        return (*self._closure(snapshot).missing, *unknown)

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        return self._closure(snapshot).folders

    def variants(self, snapshot: Snapshot) -> Mapping[str, Renderer]:
        """None: a kustomization is rendered in one way."""
        return {}

    def at(self, folder: str) -> Renderer:
        """The same for another folder of the repository."""
        return KustomizeRenderer(replace(self._options, path=folder, application=""))

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        found = self._closure(snapshot)
        refused = self._refused(snapshot, found)
        known = refused or self._remembered(snapshot, found)
        if known is not None:
            return known
        try:
            output = await output_of(self._call(snapshot, found))
        except ChildFailed as failed:
            return self._failed(snapshot, found, failed)
        return self._learned(snapshot, found, _parsed(self._options, snapshot, output, previous))

    def _closure(self, snapshot: Snapshot) -> Inputs:
        found = closure(snapshot.files, snapshot.absent, self._options.path, snapshot.problems)
        over = [name for name in override_files(self._options) if name in snapshot.files]
        problems = (*found.problems, *overrides_of(snapshot.files, over).problems)
        return replace(found, files=found.files | set(over), problems=problems)

    def _refused(self, snapshot: Snapshot, found: Inputs) -> Parsed | None:
        """A source that cannot be rendered; None for one that may be."""
        unknown = tuple(SourceProblem(name, 0, "is not in this repository", "commit it") for name in found.missing)
        problems = (*found.problems, *unknown, *refusals(snapshot.files, sorted(found.files)))
        return replace(parsed_from({}, problems, snapshot.commit), inputs=_inputs(snapshot, found), renderer=NAME) if problems else None

    def _failed(self, snapshot: Snapshot, found: Inputs, failed: ChildFailed) -> Parsed:
        marker = marker_of(snapshot.files, self._options.path) or self._options.path
        words = _without_secrets(str(failed), snapshot.files)
        problem = SourceProblem(marker, 0, f"kustomize: {words}", "correct it: `kubectl kustomize` says the same")
        return replace(parsed_from({}, (problem,), snapshot.commit), inputs=_inputs(snapshot, found), renderer=NAME)

    def _remembered(self, snapshot: Snapshot, found: Inputs) -> Parsed | None:
        return self._memory.recall(fingerprint(_inputs(snapshot, found)), snapshot.commit)

    def _learned(self, snapshot: Snapshot, found: Inputs, parsed: Parsed) -> Parsed:
        behind = _inputs(snapshot, found)
        return self._memory.keep(fingerprint(behind), replace(parsed, inputs=behind, renderer=NAME))

    def _call(self, snapshot: Snapshot, found: Inputs) -> ChildCall:
        return ChildCall(
            (program(PROGRAM), "kustomize", f"./{self._options.path}"), {**_inputs(snapshot, found), **self._amended(snapshot)}
        )

    def _amended(self, snapshot: Snapshot) -> dict[str, bytes]:
        """The kustomization with the images that an Application's override files say; nothing where they say none."""
        images = overrides_of(snapshot.files, override_files(self._options)).images
        marker = marker_of(snapshot.files, self._options.path)
        if not images or marker is None:
            return {}
        root = compose(decode(snapshot.files[marker]))[0].root
        return {marker: json.dumps(with_images(value_of(root), images)).encode()} if root is not None else {}


def _parsed(options: RenderOptions, snapshot: Snapshot, output: bytes, previous: Parsed | None) -> Parsed:
    marker = marker_of(snapshot.files, options.path) or options.path
    files = objects_of(_pieces(output), marker, previous, options.namespace)
    return replace(parsed_from(files, (), snapshot.commit), namespace=options.namespace)


def _pieces(output: bytes) -> list[bytes]:
    """The objects of an output: a line of three dashes at its beginning cannot stand inside of one."""
    return [piece for piece in (b"\n" + output).split(b"\n---\n") if piece.strip()]


def _without_secrets(words: str, files: Mapping[str, bytes]) -> str:
    """What kustomize complains about, without the pair it quotes where generators make Secrets: the pair may be the secret."""
    words, _, _ = words.partition(QUOTES_ALL)  # a whole patch, with whatever value is in it
    head, found, _ = words.partition(QUOTES_PAIRS)
    secret = found and any(b"secretgenerator" in content.lower() for content in files.values())
    return f"{head}{found}: not shown, as a Secret is generated here" if secret else words


def _inputs(snapshot: Snapshot, found: Inputs) -> dict[str, bytes]:
    return {name: snapshot.files[name] for name in sorted(found.files)}
