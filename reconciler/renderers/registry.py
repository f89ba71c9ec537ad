"""Which renderers there are: a new one is a new row."""

from collections.abc import Callable, Mapping

from reconciler.kernel.errors import Terminal
from reconciler.renderers.plain import PlainRenderer
from reconciler.sources.renderer import Renderer, RenderOptions

PLAIN = RenderOptions()
RENDERERS: Mapping[str, Callable[[RenderOptions], Renderer]] = {"plain": PlainRenderer}


def renderer(name: str, options: RenderOptions = PLAIN) -> Renderer:
    """The renderer of this name for one source. Raises Terminal for unknown ones, naming those that exist."""
    if name not in RENDERERS:
        raise Terminal(f"there is no renderer {name!r}; use one of {', '.join(sorted(RENDERERS))}")
    return RENDERERS[name](options)
