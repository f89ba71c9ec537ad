"""Which renderers there are: a new one is a new row."""

from collections.abc import Mapping

from reconciler.kernel.errors import Terminal
from reconciler.renderers.plain import PlainRenderer
from reconciler.sources.renderer import Renderer

RENDERERS: Mapping[str, Renderer] = {"plain": PlainRenderer()}


def renderer(name: str) -> Renderer:
    """The renderer of this name. Raises Terminal for unknown ones, naming those that exist."""
    if name not in RENDERERS:
        raise Terminal(f"there is no renderer {name!r}; use one of {', '.join(sorted(RENDERERS))}")
    return RENDERERS[name]
