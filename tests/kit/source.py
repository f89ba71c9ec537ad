"""Our own source as trees."""

import ast
import gc


def parsed(text: str) -> ast.Module:
    """The tree of a module. No garbage is collected meanwhile: a finalizer that runs in between ends CPython 3.11's parser."""
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        gc.enable()
