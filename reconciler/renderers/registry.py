"""Which renderers there are: a new one is a new row."""

from collections.abc import Callable, Mapping

from reconciler.git.objects import Snapshot
from reconciler.kernel.errors import Terminal
from reconciler.renderers.kustomize import KustomizeRenderer
from reconciler.renderers.kustomize_closure import marker_of
from reconciler.renderers.plain import PlainRenderer
from reconciler.sources.documents import Parsed
from reconciler.sources.renderer import Renderer, RenderOptions

PLAIN = RenderOptions()
RENDERERS: Mapping[str, Callable[[RenderOptions], Renderer]] = {"plain": PlainRenderer, "kustomize": KustomizeRenderer}


def renderer(name: str, options: RenderOptions = PLAIN) -> Renderer:
    """The renderer of this name for one source; found by its files where none is named. Raises Terminal for unknown ones."""
    if not name:
        return DetectingRenderer(options)
    if name not in RENDERERS:
        raise Terminal(f"there is no renderer {name!r}; use one of {', '.join(sorted(RENDERERS))}")
    return RENDERERS[name](options)


class DetectingRenderer:
    """Looks at each snapshot what renders it, as Argo CD does: a kustomization in the folder itself, else plain manifests."""

    def __init__(self, options: RenderOptions) -> None:
        self._path = options.path
        self._plain = PlainRenderer(options)
        self._kustomize = KustomizeRenderer(options)
        self.markers = self._kustomize.markers

    def missing(self, snapshot: Snapshot) -> tuple[str, ...]:
        return self._of(snapshot).missing(snapshot)

    async def render(self, snapshot: Snapshot, previous: Parsed | None = None) -> Parsed:
        return await self._of(snapshot).render(snapshot, previous)

    def folders(self, snapshot: Snapshot) -> frozenset[str]:
        """The folders that this one is made from, itself included."""
        return self._kustomize.folders(snapshot)

    def at(self, folder: str) -> Renderer:
        """kustomize for another folder of the repository."""
        return self._kustomize.at(folder)

    def _of(self, snapshot: Snapshot) -> Renderer:
        return self._kustomize if marker_of(snapshot.files, self._path) is not None else self._plain
