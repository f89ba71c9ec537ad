"""Which renderers there are: a new one is a new row."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.git.objects import Snapshot
from reconciler.kernel.errors import Terminal
from reconciler.renderers.decrypting import decrypting
from reconciler.renderers.helm import HelmRenderer, defaults
from reconciler.renderers.helm_closure import chart_of
from reconciler.renderers.jsonnet import JsonnetRenderer, installed
from reconciler.renderers.jsonnet_closure import entry_in
from reconciler.renderers.kustomize import KustomizeRenderer
from reconciler.renderers.kustomize_closure import marker_of
from reconciler.renderers.plain import PlainRenderer
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import Neighbours, Renderer, RenderOptions

PLAIN = RenderOptions()
RENDERERS: Mapping[str, Callable[[RenderOptions], Renderer]] = {
    "plain": PlainRenderer,
    "kustomize": KustomizeRenderer,
    "helm": HelmRenderer,
    "jsonnet": JsonnetRenderer,
}


def renderer(name: str, options: RenderOptions = PLAIN) -> Renderer:
    """The renderer of this name for one source; found by its files where none is named. Raises Terminal for unknown ones."""
    return decrypting(_renderer(name, options), options.sops, options.namespace)


def _renderer(name: str, options: RenderOptions) -> Renderer:
    if not name:
        return DetectingRenderer(options)
    if name not in RENDERERS:
        raise Terminal(f"there is no renderer {name!r}; use one of {', '.join(sorted(RENDERERS))}")
    return RENDERERS[name](options)


def neighbour(name: str, options: RenderOptions) -> Renderer:
    """The same for a source of which no file is known yet."""
    return renderer(name, options) if name else decrypting(DetectingRenderer(options, asks=True), options.sops, options.namespace)


class DetectingRenderer:
    """Looks at each snapshot what renders it, as Argo CD does.

    A kustomization or a chart in the folder itself, jsonnet anywhere below it, else plain manifests. Where jsonnet cannot be
    evaluated its files are left out and said.
    """

    def __init__(self, options: RenderOptions, *, asks: bool = False) -> None:
        self._options = options
        self._asks = asks
        self._plain = PlainRenderer(options)
        self._kustomize = KustomizeRenderer(options)
        self._helm = HelmRenderer(options)
        self._jsonnet = JsonnetRenderer(options)
        self.markers = (*self._kustomize.markers, *self._helm.markers, *self._jsonnet.markers)

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        unknown = self._unknown(snapshot) if self._asks else ()
        return unknown or self._of(snapshot).missing(snapshot)

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        return await self._of(snapshot).render(snapshot, previous)

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        found = self._of(snapshot)
        return found.folders(snapshot) if isinstance(found, Neighbours) else frozenset({self._options.path})

    def variants(self, snapshot: Snapshot) -> Mapping[str, Renderer]:
        """The other ways in which the folder is rendered."""
        found = self._of(snapshot)
        return found.variants(snapshot) if isinstance(found, Neighbours) else {}

    def at(self, folder: str) -> Renderer:
        """What renders another folder of the repository, of which nothing is known yet."""
        return DetectingRenderer(replace(self._options, path=folder, helm=defaults(self._options.helm), application=""), asks=True)

    def _unknown(self, snapshot: Snapshot) -> tuple[str, ...]:
        """The names that say what renders the folder, until all were asked for or one is there."""
        names = [f"{self._options.path}/{marker}" if self._options.path else marker for marker in self.markers]
        known = snapshot.files.keys() | snapshot.absent
        return () if snapshot.files.keys() & set(names) else tuple(name for name in names if name not in known)

    def _of(self, snapshot: Snapshot) -> Renderer:
        if marker_of(snapshot.files, self._options.path) is not None:
            return self._kustomize
        if chart_of(snapshot.files, self._options.path) is not None:
            return self._helm
        return self._jsonnet if installed() and entry_in(snapshot.files, self._options) else self._plain
