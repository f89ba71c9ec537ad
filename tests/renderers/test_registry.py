"""Renderers by name."""

import pytest

from reconciler.kernel.errors import Terminal
from reconciler.renderers.registry import renderer
from reconciler.sources.renderer import RenderOptions


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Terminal, match="plain"):
        renderer("make", RenderOptions())
